//! Kills a process at every named point of a queue, in every turn that one scene passes it, and looks at what is left.
//!
//! A program without the test harness, so that it has one thread and may fork. Built with the feature `fault-points`.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::disallowed_types, reason = "no model checker runs this")]

#[path = "../robust/process.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod process;
mod sleepers;
mod sources;
mod stopped;

use core::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use process::{share, start};
use psync_runtime::{
    channel::{Queue, RecvError, WorkQueue},
    sync::testing::{self, faults},
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

const PATIENCE: Duration = Duration::from_secs(20);
const MOST: usize = 4096;

/// What a child has got done, in memory that its parent sees as well.
struct Progress {
    sent: AtomicU64,
    /// One more than the number of the last message that it has received, and how many it has.
    received: AtomicU64,
    jobs: AtomicU64,
    /// The points that were passed: the address of each name, which is the same in every forked process, and its length.
    points: [(AtomicUsize, AtomicUsize); MOST],
    count: AtomicUsize,
}

#[allow(clippy::large_stack_arrays, reason = "it is on its way into shared memory")]
fn progress() -> &'static Progress {
    share(Progress {
        sent: AtomicU64::new(0),
        received: AtomicU64::new(0),
        jobs: AtomicU64::new(0),
        points: [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; MOST],
        count: AtomicUsize::new(0),
    })
}

/// A message by its number: short ones, one in eleven so long that chunks end, two longer than the log takes.
fn message(number: u64) -> Vec<u64> {
    let len = match number {
        25 | 31 => 10_000,
        number if number % 11 == 0 => 7_000,
        number => number % 9,
    };
    (0..=len).map(|at| at ^ number).collect()
}

fn check(message_: &[u64], number: u64) {
    assert!(message_ == message(number), "message {number} is torn, or another");
}

const MESSAGES: u64 = 60;

/// Sends and receives in turns of up to seven, so that the queue is empty, holds some, and goes through its chunks.
fn play(queue: &Queue<Vec<u64>>, progress: &Progress) {
    let mut next = 0;
    for number in 0..MESSAGES {
        queue.send_timeout(message(number), PATIENCE).expect("room");
        progress.sent.store(number + 1, SeqCst);
        if number % 7 == 6 || number + 1 == MESSAGES {
            while let Ok(message) = queue.try_recv() {
                check(&message, next);
                next += 1;
                progress.received.store(next, SeqCst);
            }
        }
    }
}

/// A job: every other one is so long that it does not lie with the note of who has it.
fn job(number: u64) -> Vec<u64> {
    vec![number; if number.is_multiple_of(2) { 1 } else { 1000 }]
}

/// The number of a job that is whole.
fn number_of(job: &[u64]) -> u64 {
    let number = *job.first().expect("a number");
    assert!(job == self::job(number), "job {number} is torn");
    number
}

/// Jobs: every third is given up once, the others are done.
fn work(jobs: &WorkQueue<Vec<u64>>, progress: &Progress) {
    for number in 0..6 {
        jobs.send_timeout(job(number), PATIENCE).expect("room");
        progress.sent.store(number + 1, SeqCst);
    }
    while let Ok(job) = jobs.try_recv() {
        let number = number_of(&job);
        if number.is_multiple_of(3) && job.attempt() == 1 {
            continue;
        }
        progress.jobs.fetch_or(1 << number, SeqCst);
        job.done();
        progress.jobs.fetch_or(1 << (32 + number), SeqCst);
    }
}

/// The points that `scene` passes after `prepare`, each with the number of its turn.
fn points(prepare: impl FnOnce(), scene: impl FnOnce(&Progress)) -> Vec<(&'static str, u32)> {
    let noted = progress();
    let mut child = start(|| {
        prepare();
        faults::record();
        scene(noted);
        let hits = faults::disarm();
        for (place, hit) in noted.points.iter().zip(&hits) {
            place.0.store(hit.name.as_ptr().addr(), SeqCst);
            place.1.store(hit.name.len(), SeqCst);
        }
        noted.count.store(hits.len().min(MOST), SeqCst);
    });
    assert!(child.join(), "the scene itself fails");
    let mut turns = BTreeMap::new();
    let named = |(address, len): &(AtomicUsize, AtomicUsize)| {
        let start = core::ptr::with_exposed_provenance::<u8>(address.load(SeqCst));
        // SAFETY: a literal of this program, at the same place in every process forked from it.
        let bytes = unsafe { core::slice::from_raw_parts(start, len.load(SeqCst)) };
        let name = core::str::from_utf8(bytes).expect("a name");
        let turn = turns.entry(name).and_modify(|turn| *turn += 1).or_insert(1);
        (name, *turn)
    };
    noted.points[..noted.count.load(SeqCst)].iter().map(named).collect()
}

thread_local! {
    static DEATHS: Cell<usize> = const { Cell::new(0) };
    /// The points at which somebody died.
    static MET: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Has a child prepare itself, play the scene and die at a point of that.
fn die(
    (point, turn): (&'static str, u32),
    prepare: impl FnOnce(),
    scene: impl FnOnce(&Progress),
) -> &'static Progress {
    process::alarm(120);
    let progress = progress();
    let mut child = start(|| {
        prepare();
        faults::die_at(point, turn);
        scene(progress);
    });
    assert!(!child.join(), "it did not die at {point}, turn {turn}");
    DEATHS.set(DEATHS.get() + 1);
    MET.with_borrow_mut(|met| met.insert(point));
    progress
}

/// After a death: nothing is lost but what was in the hands of the dead, nothing doubled, torn or overtaken, and the queue goes on.
fn inspect(queue: &Queue<Vec<u64>>, progress: &Progress, at: &str) {
    let (sent, received) = (progress.sent.load(SeqCst), progress.received.load(SeqCst));
    let mut left = Vec::new();
    queue.send_timeout(message(1_000), PATIENCE).expect("nobody is held up");
    loop {
        let next = queue.recv_timeout(PATIENCE).expect("nobody is held up");
        if next == message(1_000) {
            break;
        }
        left.push(next);
    }
    assert_eq!(queue.try_recv(), Err(RecvError::Empty), "{at}");
    let is_right = |first: u64| {
        let end = first + left.len() as u64;
        let expected = (first..end).map(message);
        (end == sent || end == sent + 1) && expected.eq(left.iter().cloned())
    };
    let is_whole = (received..=received + 1).any(is_right);
    assert!(is_whole, "{at}: {} are left of {received}..{sent}", left.len());
}

/// What happens in this process, or in another that lives on, before the scene.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// It gets the bias of both sides.
    Alone,
    /// Another one has them.
    AfterAnother,
}

/// Uses the queue for long enough to get the bias of both sides.
fn warm(queue: &Queue<Vec<u64>>) {
    for _ in 0..40 {
        queue.try_send(Vec::new()).expect("room");
        queue.try_recv().expect("a message");
    }
}

/// Lets another process get the biases, if that is what comes before.
fn precede(queue: &Queue<Vec<u64>>, before: Before) -> Option<process::Child> {
    let is_warm = share(AtomicU64::new(0));
    let other = (before == Before::AfterAnother).then(|| {
        start(|| {
            warm(queue);
            is_warm.store(1, SeqCst);
            loop {
                process::pause(10_000);
            }
        })
    });
    process::until(|| other.is_none() || is_warm.load(SeqCst) == 1);
    other
}

fn messages(name: &str, before: Before, make: fn() -> Queue<Vec<u64>>) {
    let prepare = |queue: &Queue<Vec<u64>>| {
        if before == Before::Alone {
            warm(queue);
        }
    };
    let queue = make();
    let other = precede(&queue, before);
    let all = points(|| prepare(&queue), |progress| play(&queue, progress));
    drop(other);
    assert!(all.len() > 200 && all.len() < MOST, "{name}: {} points", all.len());
    let mut names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    eprintln!("{name}: {names:?}");
    for (point, turn) in all {
        let queue = make();
        let other = precede(&queue, before);
        let scene = |progress: &Progress| play(&queue, progress);
        let progress = die((point, turn), || prepare(&queue), scene);
        inspect(&queue, progress, &format!("{name}: {point}, turn {turn}"));
        // And once more, by another process.
        let again = crate::progress();
        let mut child = start(|| play(&queue, again));
        assert!(child.join(), "{name}: {point}, turn {turn}: nobody can go on");
        drop(other);
    }
}

fn jobs() {
    let make = || WorkQueue::unbounded().expect("memory");
    let jobs = make();
    for (point, turn) in points(|| (), |progress| work(&jobs, progress)) {
        let jobs = make();
        let progress = die((point, turn), || (), |progress| work(&jobs, progress));
        let at = format!("jobs: {point}, turn {turn}");
        let mut done = [0; 7];
        for (number, done) in done.iter_mut().enumerate().take(6) {
            *done += u64::count_ones(progress.jobs.load(SeqCst) & 1 << (32 + number));
        }
        jobs.send_timeout(job(6), PATIENCE).expect("nobody is held up");
        while let Ok(job) = jobs.try_recv() {
            done[usize::try_from(number_of(&job)).expect("few")] += 1;
            job.done();
        }
        assert_eq!(jobs.unfinished(), 0, "{at}");
        let sent = usize::try_from(progress.sent.load(SeqCst)).expect("few");
        let is_begun = |number: usize| progress.jobs.load(SeqCst) & 1 << number != 0;
        for (number, done) in done.iter().enumerate() {
            let most = if number < 6 && is_begun(number) { 2 } else { 1 };
            let least = u32::from(number < sent || number == 6 || is_begun(number));
            // What the dead had begun may have been finished although nobody could say so any more.
            let least = if number < 6 && is_begun(number) { 0 } else { least };
            assert!((least..=most).contains(done), "{at}: job {number} was done {done} times");
        }
    }
}

/// A point that no scene passes needs one.
fn every_point_is_met() {
    let places = sources::points();
    assert!(places.len() > 15, "{places:?}");
    let met = MET.take();
    let never: Vec<_> = places.keys().filter(|name| !met.contains(name.as_str())).collect();
    assert!(never.is_empty(), "nobody died at {never:?}");
    let twice: Vec<_> = places.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "several places have the same name: {twice:?}");
}

fn main() {
    testing::make_world();
    let bounded = || Queue::bounded(8).expect("memory");
    let unbounded = || Queue::unbounded().expect("memory");
    messages("by the lock", Before::Nothing, bounded);
    messages("by the bias", Before::Alone, unbounded);
    messages("taking the bias away", Before::AfterAnother, bounded);
    jobs();
    sleepers::play();
    stopped::play();
    every_point_is_met();
    eprintln!("{} deaths", DEATHS.get());
    assert!(DEATHS.get() > 1_000);
}
