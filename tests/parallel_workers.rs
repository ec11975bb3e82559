//! `parallel!` with `workers`: the items of its `for` branches share processes, and everything else stays as it is without.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::exit, reason = "processes exit")]

mod common;

use common::{is_alive, sleep_for_ever, watchdog};
use psync::{Failure, ParallelError, SpawnError, prelude::*};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

const ITEMS: usize = 100;

#[shared]
#[derive(Debug)]
struct Log {
    /// Who has run which item.
    pids: [AtomicI32; ITEMS],
    here: AtomicUsize,
    both: Event,
    bell: Event,
}

impl Log {
    fn new() -> Shared<Self> {
        let pids = std::array::from_fn(|_| AtomicI32::new(0));
        let here = AtomicUsize::new(0);
        Shared::new(Self { pids, here, both: Event::new(), bell: Event::new() }).expect("memory")
    }

    fn sign(&self, item: usize) {
        self.pids[item].store(psync::current().pid(), SeqCst);
    }

    fn pid(&self, item: usize) -> i32 {
        self.pids[item].load(SeqCst)
    }

    fn pids(&self) -> BTreeSet<i32> {
        (0..ITEMS).map(|item| self.pid(item)).filter(|pid| *pid != 0).collect()
    }

    fn signed(&self) -> Vec<usize> {
        (0..ITEMS).filter(|item| self.pid(*item) != 0).collect()
    }
}

/// The first two wait for each other.
#[process]
fn sign(log: &Log, item: usize) -> usize {
    log.sign(item);
    if log.here.fetch_add(1, SeqCst) == 1 {
        log.both.set();
    }
    log.both.wait();
    item * 2
}

#[process]
fn fail(log: &Log, item: usize) -> usize {
    log.sign(item);
    match item {
        3 => panic!("three"),
        5 => common::signal(psync::current().pid(), libc::SIGKILL),
        7 => std::process::exit(77),
        9 => std::process::abort(),
        _ => {}
    }
    item
}

/// Is deaf to SIGTERM and stays.
#[process]
fn stay_stubbornly(log: &Log, item: usize) {
    // SAFETY: the disposition is one of the kernel's own.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    log.sign(item);
    log.bell.set();
    sleep_for_ever();
}

fn what(failure: &Failure) -> (usize, Option<usize>, &str) {
    (failure.branch, failure.index, &failure.name)
}

fn failures(error: &ParallelError) -> Vec<(usize, Option<usize>, &str)> {
    error.failures().iter().map(what).collect()
}

#[test]
fn a_hundred_items_run_in_two_processes() {
    let _watchdog = watchdog();
    let log = Log::new();
    let doubled = parallel! { with workers = 2; for item in 0..ITEMS => sign(&log, item) };
    assert_eq!(doubled.expect("nothing fails"), (0..ITEMS).map(|n| n * 2).collect::<Vec<_>>());
    let pids = log.pids();
    assert_eq!((pids.len(), log.signed().len()), (2, ITEMS));
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "workers are left");
}

#[test]
fn one_worker_runs_all_items_of_all_branches() {
    let _watchdog = watchdog();
    let log = Log::new();
    log.both.set();
    let (a, b, own) = parallel! {
        with workers = 1, chunk = 4;
        for item in 0..10 => sign(&log, item),
        for item in 10..20 => process(&log, item) { log.sign(item); item },
        process(&log) { log.sign(20); psync::current().name().to_owned() },
    }
    .expect("nothing fails");
    assert_eq!((a.len(), b[9], own.as_str()), (10, 19, "process"));
    let (own, pids) = (log.pid(20), log.pids());
    assert_eq!(pids.len(), 2, "the branch without `for` has a process of its own");
    assert!((0..20).all(|item| log.pid(item) != own));
}

#[test]
fn there_are_no_more_workers_than_items() {
    let _watchdog = watchdog();
    // In a process that has no other children.
    let alone = psync::spawn(
        |()| {
            let mut children = 0;
            let items = (0..3_u64).inspect(|_| children = psync::active_children().len());
            let sum = parallel! { with workers = 50; for n in items => process(n) { n + 1 } };
            (sum.map(|all| all.iter().sum::<u64>()).map_err(|error| error.to_string()), children)
        },
        (),
    );
    assert_eq!(alone.expect("a start").join().expect("it ends"), (Ok(6), 3));
}

#[process]
fn scale(part: &mut [u64], factor: u64) -> u64 {
    part.iter_mut().for_each(|number| *number *= factor);
    part.iter().sum()
}

#[test]
fn parts_of_shared_memory_are_lent_to_workers() {
    let _watchdog = watchdog();
    let mut numbers = Shared::<[u64]>::new_with(1000, |index| index as u64).expect("memory");
    for round in 1..4_u32 {
        let data = Shared::get_mut(&mut numbers).expect("nobody else has it");
        let sums = parallel! {
            with workers = 2;
            for part in data.chunks_mut(10) => scale(&mut *part, 3)
        };
        let sums = sums.expect("nothing fails");
        assert_eq!((sums.len(), sums[1]), (100, 145 * 3_u64.pow(round)), "in place");
    }
    assert_eq!(numbers.iter().sum::<u64>(), 499_500 * 27);
}

#[test]
fn what_ends_a_worker_costs_one_item() {
    let _watchdog = watchdog();
    for chunk in [1, 5] {
        let log = Log::new();
        let error = parallel! {
            with workers = 2, chunk = chunk, on_failure = finish;
            for item in 0..ITEMS => fail(&log, item)
        }
        .expect_err("four fail");
        assert_eq!(log.signed().len(), ITEMS, "all have run");
        let mut all: Vec<_> = error.failures().iter().collect();
        all.sort_by_key(|failure| failure.index);
        let expected = [3, 5, 7, 9].map(|item| (0, Some(item), "fail"));
        assert_eq!(all.iter().map(|failure| what(failure)).collect::<Vec<_>>(), expected);
        for failure in &all {
            assert_eq!(failure.error.name(), "fail", "the function's name");
            assert_eq!(failure.error.pid(), log.pid(failure.index.expect("an item")), "{error}");
        }
        let [panicked, killed, exited, aborted] = [0, 1, 2, 3].map(|index| &all[index].error);
        assert!(matches!(panicked, ProcessError::Panicked { message, location: Some(at), .. }
            if message == "three" && at.contains("parallel_workers.rs")));
        assert!(matches!(killed, ProcessError::Signaled { signal: libc::SIGKILL, .. }), "{error}");
        assert!(matches!(exited, ProcessError::Exited { code: 77, .. }), "{error}");
        assert!(matches!(aborted, ProcessError::Signaled { signal: libc::SIGABRT, .. }), "{error}");
    }
}

/// A worker goes on after a panic; its next items are not lost.
#[test]
fn a_panic_does_not_end_its_worker() {
    let _watchdog = watchdog();
    let log = Log::new();
    let error = parallel! {
        with workers = 1, on_failure = finish;
        for item in 0..5 => fail(&log, item)
    }
    .expect_err("one fails");
    assert_eq!((failures(&error), log.pids().len()), (vec![(0, Some(3), "fail")], 1));
}

#[test]
fn running_items_are_told_to_end_and_then_killed() {
    let _watchdog = watchdog();
    let log = Log::new();
    let mut taken = 0;
    let error = parallel! {
        with workers = 2, grace = Duration::from_millis(50);
        stay: for item in (0..ITEMS).inspect(|_| taken += 1) => stay_stubbornly(&log, item),
        fail: process(&log) {
            log.bell.wait();
            panic!("enough");
        },
    }
    .map(|output| output.stay.len())
    .expect_err("one panics");
    assert_eq!(error.failures()[0].name, "fail", "{error}");
    // The second may not have begun when it was told.
    let begun = log.signed();
    assert!(taken == 2 && matches!(begun.len(), 1 | 2), "{error}");
    for item in begun {
        let of = |failure: &&Failure| failure.index == Some(item);
        let failure = error.failures().iter().find(of).expect("it was cancelled");
        assert!(matches!(failure.error, ProcessError::Cancelled { .. }), "{error}");
        assert_eq!(failure.error.pid(), log.pid(item));
        assert!(!is_alive(log.pid(item)));
    }
    let last = error.failures().last().expect("the rest");
    assert_eq!(what(last), (0, None, "stay"), "{error}");
    assert!(matches!(last.error, ProcessError::Cancelled { pid: 0, .. }), "{error}");
}

/// What a worker has taken and not begun with counts with what nobody has taken.
#[test]
fn the_rest_of_a_chunk_never_begins() {
    let _watchdog = watchdog();
    let log = Log::new();
    let error = parallel! {
        with workers = 1, chunk = 10;
        for item in 0..ITEMS => process(&log, item) {
            log.sign(item);
            match item {
                0 | 1 => {}
                2 => panic!("enough"),
                _ => common::sleep_for_ever(),
            }
        }
    }
    .expect_err("one panics");
    // The worker has gone on to the next one, and no further.
    let begun = log.signed();
    assert!(begun == [0, 1, 2] || begun == [0, 1, 2, 3], "{begun:?}");
    let mut expected = vec![(0, Some(2), "process"), (0, Some(3), "process"), (0, None, "process")];
    if error.failures().len() == 2 {
        expected.remove(1);
    }
    assert_eq!(failures(&error), expected, "{error}");
    assert!(
        error.failures()[1..].iter().all(|f| matches!(f.error, ProcessError::Cancelled { .. }))
    );
}

#[test]
fn a_deadline_ends_what_runs() {
    let _watchdog = watchdog();
    let log = Log::new();
    let error = parallel! {
        with workers = 1, deadline = Duration::from_millis(300), grace = Duration::from_millis(20);
        for item in 0..2 => stay_stubbornly(&log, item)
    }
    .expect_err("it stays");
    assert_eq!(log.signed(), [0]);
    let late = |failure: &Failure| matches!(failure.error, ProcessError::TimedOut { .. });
    assert!(error.failures().iter().all(late), "{error}");
    assert_eq!(error.failures()[0].error.pid(), log.pid(0));
}

/// 1 cannot be encoded, 3 not be decoded.
#[derive(Debug, PartialEq)]
struct Picky(u32);

impl Picky {
    fn check<E>(number: u32, wrong: u32, refuse: fn(&str) -> E) -> Result<u32, E> {
        if number == wrong { Err(refuse("not this one")) } else { Ok(number) }
    }
}

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = Self::check(self.0, 1, |text| serde::ser::Error::custom(text))?;
        number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        Ok(Self(Self::check(number, 3, |text| serde::de::Error::custom(text))?))
    }
}

/// 2 becomes 1, which cannot be sent back, and 4 becomes 3, which cannot be received.
#[process]
fn pick(picky: Picky) -> Picky {
    Picky(if matches!(picky.0, 2 | 4) { picky.0 - 1 } else { picky.0 })
}

#[test]
fn what_cannot_cross_is_told_with_its_reason() {
    let _watchdog = watchdog();
    let run = |chunk, items: &[u32]| {
        let items = items.to_vec();
        parallel! {
            with workers = 2, chunk = chunk, on_failure = finish;
            for number in items => pick(Picky(number))
        }
    };
    for chunk in [1, 3] {
        assert_eq!(run(chunk, &[0, 5]).expect("fine"), [Picky(0), Picky(5)]);
        let error = run(chunk, &[0, 1, 2, 3, 4, 5]).expect_err("most fail");
        let mut all: Vec<_> = error.failures().iter().collect();
        all.sort_by_key(|failure| failure.index);
        assert_eq!(all.iter().filter_map(|f| f.index).collect::<Vec<_>>(), [1, 2, 3, 4], "{error}");
        assert!(all.iter().all(|failure| failure.to_string().contains("not this one")), "{error}");
        let [unsent, unreturned, unknown, unreceived] = [0, 1, 2, 3].map(|index| &all[index].error);
        assert!(
            matches!(unsent, ProcessError::NotStarted { error: SpawnError::Encode { .. }, .. }),
            "{error}"
        );
        assert!(matches!(unreturned, ProcessError::Encode { pid: 1.., .. }), "{error}");
        assert!(matches!(unknown, ProcessError::Decode { pid: 1.., .. }), "{error}");
        assert!(matches!(unreceived, ProcessError::Decode { pid: 1.., .. }), "{error}");
    }
}

#[test]
fn memory_that_is_not_shared_cannot_be_lent() {
    let _watchdog = watchdog();
    let mut numbers = vec![1_u64, 2, 3];
    let error = parallel! {
        with workers = 2;
        for part in numbers.chunks_mut(2) => scale(&mut *part, 3)
    }
    .expect_err("it is nobody's but ours");
    let first = &error.failures()[0];
    assert_eq!(what(first), (0, Some(0), "scale"));
    assert!(first.to_string().contains("shared memory"), "{first}");
}

#[process]
fn share(number: u64) -> (Shared<[u64]>, Vec<u8>) {
    let numbers = Shared::<[u64]>::new_with(3, |_| number).expect("memory");
    (numbers, vec![7; usize::try_from(number).expect("small") * 100_000])
}

#[test]
fn results_may_be_handles_and_long() {
    let _watchdog = watchdog();
    let all = parallel! { with workers = 2; for number in 0..10 => share(number) };
    for (number, (numbers, bytes)) in all.expect("nothing fails").iter().enumerate() {
        assert_eq!((&**numbers, bytes.len()), (&[number as u64; 3][..], number * 100_000));
    }
}

#[test]
fn an_item_may_run_a_parallel_of_its_own() {
    let _watchdog = watchdog();
    let sums = parallel! {
        with workers = 2;
        for n in 0..4_u64 => process(n) {
            parallel! { with workers = 2; for m in 0..3 => process(n, m) { n * m } }
                .expect("nothing fails")
                .iter()
                .sum::<u64>()
        },
    };
    assert_eq!(sums.expect("nothing fails"), [0, 3, 6, 9]);
}

#[test]
fn workers_are_called_after_the_function() {
    let _watchdog = watchdog();
    let names = parallel! { with workers = 1; for _ in 0..2 => whoami() };
    assert_eq!(names.expect("nothing fails"), ["whoami-1", "whoami-1"]);
}

#[process]
fn whoami() -> String {
    psync::current().name().to_owned()
}

#[process(start_method = StartMethod::Spawn)]
fn spawned() -> (i32, Option<String>) {
    (psync::current().pid(), psync::current().start_method().map(|method| format!("{method:?}")))
}

/// Workers are started as the first item wants it; who wants it otherwise has a process of its own.
#[test]
fn every_item_is_started_as_its_function_says() {
    let _watchdog = watchdog();
    let (spawned, others) = parallel! {
        with workers = 1;
        for _ in 0..3 => spawned(),
        for _ in 0..3 => process() { format!("{:?}", psync::current().start_method()) },
    }
    .expect("nothing fails");
    assert!(
        spawned.iter().all(|(pid, how)| *pid == spawned[0].0 && *how == Some("Spawn".to_owned()))
    );
    assert_eq!(others, ["Some(ForkServer)"; 3]);
    let pids = parallel! {
        with workers = 1, start_method = StartMethod::Spawn;
        for _ in 0..2 => process() { psync::current().pid() },
    }
    .expect("nothing fails");
    assert_eq!(pids[0], pids[1]);
}

/// A forked worker would have whatever this process has by the time at which it is replaced, so there are none.
#[test]
fn forked_items_have_processes_of_their_own() {
    let _watchdog = watchdog();
    // In a process of one thread.
    let forks = psync::spawn(
        |()| {
            let pids = parallel! {
                with workers = 2, start_method = StartMethod::Fork;
                for _ in 0..5 => process() { psync::current().pid() },
            };
            pids.map(|pids| pids.into_iter().collect::<BTreeSet<_>>().len())
                .map_err(|error| error.to_string())
        },
        (),
    );
    assert_eq!(forks.expect("a start").join().expect("it ends"), Ok(5));
}

#[process(start_method = StartMethod::Fork)]
fn forked(log: &Log, item: usize) -> i32 {
    log.sign(item);
    psync::current().pid()
}

#[test]
fn forked_branches_and_workers_go_together() {
    let _watchdog = watchdog();
    let together = psync::spawn(
        |log: Shared<Log>| {
            log.both.set();
            let all = parallel! {
                with workers = 2;
                for item in 0..10 => sign(&log, item),
                for item in 10..13 => forked(&log, item),
                forked(&log, 13),
            };
            all.map(|(a, b, _)| (a.len(), b.len())).map_err(|error| error.to_string())
        },
        Log::new(),
    );
    assert_eq!(together.expect("a start").join().expect("it ends"), Ok((10, 3)));
}

#[test]
fn workers_end_as_processes_do() {
    let _watchdog = watchdog();
    let log = Log::new();
    parallel! {
        with workers = 1;
        for item in 0..2 => process(log, item) {
            log.sign(item);
            psync::Finalizer::new(Some(0), move || log.bell.set()).leave();
        },
    }
    .expect("nothing fails");
    assert!(log.bell.is_set(), "its finalizers have run");
}

#[test]
fn a_panic_on_the_way_leaves_no_worker() {
    let _watchdog = watchdog();
    let log = Log::new();
    let mut lent = Shared::<[u64]>::new_with(4, |_| 1).expect("memory");
    let data = Shared::get_mut(&mut lent).expect("nobody else has it");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let items = data.chunks_mut(1).enumerate().inspect(|(index, _)| {
            // The first one runs by now, and stays.
            if *index == 1 {
                log.bell.wait();
                panic!("no more");
            }
        });
        parallel! {
            with workers = 2;
            for (item, part) in items => stay_with(&log, &mut *part, item)
        }
        .map(drop)
    }));
    let payload = unwound.expect_err("it panics");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"no more"));
    assert!(log.pid(0) != 0 && !is_alive(log.pid(0)), "it may still write what was lent");
    assert_eq!(Shared::get_mut(&mut lent).expect("nobody else has it")[0], 2);
}

#[process]
fn stay_with(log: &Log, part: &mut [u64], item: usize) {
    part[0] += 1;
    log.sign(item);
    log.bell.set();
    sleep_for_ever();
}
