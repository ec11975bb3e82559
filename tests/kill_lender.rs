//! A process has lent parts of what it holds locked, and is killed while its borrowers write: whoever takes the lock next gets it only
//! once they are gone, and sees no change after that.
#![allow(unsafe_code, reason = "becomes a subreaper")]

mod killing;

use killing::{Random, Traces, Watchdog, largest, look_at, median, micros, poll_for, rounds, spin};
use psync::{LockError, PoisonCause, prelude::*};
use std::{
    hint::black_box,
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// One supervisor, and one that inherits orphans.
static ALONE: StdMutex<()> = StdMutex::new(());

const BORROWERS: usize = 3;
const PART: usize = 16;

#[shared]
struct Field {
    /// Whether the lender holds the lock: 0 no, 1 it is entering or leaving, 2 yes.
    lender: AtomicU32,
    /// Who has begun to write.
    writers: [AtomicI32; BORROWERS],
}

/// How the borrowers have what is lent to them.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Way {
    Straight,
    /// Of somebody who was lent it.
    PassedOn,
    /// As items that workers run.
    ByWorkers,
}

/// Writes all over its part, for as long as it lives.
#[process]
fn plough(field: &Field, number: usize, part: &mut [u64]) {
    field.writers[number].store(psync::current().pid(), SeqCst);
    loop {
        for value in &mut *part {
            *black_box(&mut *value) += 1;
        }
    }
}

/// Passes its part on before it is written to.
#[process]
fn pass_on(field: &Field, number: usize, part: &mut [u64]) {
    let ended = parallel! { plough(field, number, part) };
    assert!(ended.is_ok(), "{ended:?}");
}

#[process]
fn lend(field: &Field, array: &Array<u64>, fresh: bool, way: Way) {
    field.lender.store(1, SeqCst);
    let mut guard = array.lock().expect("it is sound");
    field.lender.store(2, SeqCst);
    let parts = guard.chunks_mut(PART).enumerate();
    let start_method = if fresh { StartMethod::Spawn } else { StartMethod::ForkServer };
    let ended = match way {
        Way::Straight => parallel! {
            with start_method = start_method;
            for (number, part) in parts => plough(field, number, part)
        },
        Way::PassedOn => parallel! {
            with start_method = start_method;
            for (number, part) in parts => pass_on(field, number, part)
        },
        Way::ByWorkers => parallel! {
            with start_method = start_method, workers = BORROWERS;
            for (number, part) in parts => plough(field, number, part)
        },
    };
    assert!(ended.is_err(), "borrowers end by a kill alone");
    field.lender.store(1, SeqCst);
}

struct Season {
    field: Shared<Field>,
    array: Array<u64>,
    random: Random,
    recovery: Vec<Duration>,
    told: usize,
}

impl Season {
    fn new() -> Self {
        let field = Shared::new(Field::default()).expect("memory");
        let array = Array::zeroed(BORROWERS * PART).expect("memory");
        Self { field, array, random: Random::new(), recovery: Vec::new(), told: 0 }
    }

    fn sow(&self, method: StartMethod, way: Way) -> Process<()> {
        self.field.lender.store(0, SeqCst);
        self.field.writers.iter().for_each(|writer| writer.store(0, SeqCst));
        lend::spawn(&self.field, &self.array, method == StartMethod::Spawn, way).expect("starts")
    }

    fn writers(&self) -> Vec<i32> {
        let pids = self.field.writers.iter().map(|writer| writer.load(SeqCst));
        pids.filter(|pid| *pid != 0).collect()
    }

    /// How long it takes until all borrowers write.
    fn span(&mut self, method: StartMethod, way: Way) -> Duration {
        let begin = Instant::now();
        let lender = self.sow(method, way);
        assert!(poll_for(killing::HANG / 2, || self.writers().len() == BORROWERS));
        let span = begin.elapsed();
        killing::kill(lender.pid());
        self.take(lender.pid(), 1);
        lender.wait();
        span
    }

    /// Takes the lock in the way that `how` chooses, and looks for changes by anybody else. Whether it was told of a death.
    fn take(&self, lender: i32, how: usize) -> bool {
        let limit = killing::HANG;
        let taken = match how % 3 {
            0 => Some(self.array.lock()),
            1 => None,
            _ => Some(self.array.lock_timeout(limit)),
        };
        let mut told = match &taken {
            Some(Err(LockError::Poisoned { pid, cause: PoisonCause::Died })) => {
                assert_eq!(*pid, lender);
                true
            }
            Some(Err(error)) => panic!("{error}"),
            Some(Ok(_)) | None => false,
        };
        let guard = match taken {
            Some(Ok(guard)) => Ok(guard),
            _ => self.array.lock_or_repair(|_| told = true),
        };
        let mut guard = guard.expect("nobody else holds it");
        let writers = self.writers();
        for pid in &writers {
            assert!(look_at(*pid).is_none_or(|seen| seen.zombie), "{pid} lives");
        }
        guard.fill(7);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1) {
            assert!(black_box(&guard).iter().all(|value| *value == 7), "written to: {guard:?}");
        }
        assert_eq!(self.writers(), writers, "a writer has begun");
        told
    }

    /// One dead lender.
    fn reap(&mut self, round: usize, moment: Duration, method: StartMethod, way: Way) {
        let lender = self.sow(method, way);
        spin(moment);
        killing::kill(lender.pid());
        let begin = Instant::now();
        let told = self.take(lender.pid(), round);
        self.recovery.push(begin.elapsed());
        lender.wait();
        // It may have got the lock only after us, and been killed with it.
        let told_later = !told && self.take(lender.pid(), round);
        let inside = self.field.lender.load(SeqCst);
        let told = told || told_later;
        assert!(told || inside != 2, "it died inside, and nobody was told");
        assert!(!told || inside != 0, "it died outside, and was reported");
        self.told += usize::from(told);
    }

    fn report(&mut self, what: &str) {
        println!(
            "{what}: told {} of {}, the lock is had after {} (worst {})",
            self.told,
            self.recovery.len(),
            micros(median(&mut self.recovery)),
            micros(largest(&self.recovery))
        );
    }
}

/// Sweeps the lender's death over the time from its own start to that of its borrowers, and some more.
fn seasons(name: &'static str, way: Way, mut also: impl FnMut(usize)) {
    let watchdog = Watchdog::new(name);
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let mut season = Season::new();
        println!("seed {}", season.random.seed);
        watchdog.step(format!("{method:?}, the first round"));
        let span = season.span(method, way) * 5 / 4;
        let traces = Traces::now();
        let count = rounds(50);
        for round in 0..count {
            watchdog.step(format!("{method:?}, round {round}, seed {}", season.random.seed));
            let moment = season.random.moment(round, count, span);
            if round % 4 == 3 {
                also(round);
            }
            season.reap(round, moment, method, way);
        }
        season.report(&format!("{name}, {method:?}"));
        traces.check(0).expect("nothing is left");
    }
}

#[test]
fn borrowers_are_gone_before_the_lock_is_had() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    seasons("borrowers_are_gone_before_the_lock_is_had", Way::Straight, |_| ());
}

#[test]
fn borrowers_of_borrowers_are_gone_before_the_lock_is_had() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    seasons("borrowers_of_borrowers_are_gone_before_the_lock_is_had", Way::PassedOn, |_| ());
}

#[test]
fn workers_that_borrow_are_gone_before_the_lock_is_had() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    seasons("workers_that_borrow_are_gone_before_the_lock_is_had", Way::ByWorkers, |_| ());
}

/// Nobody reports deaths then; and where orphans become ours, nobody else reaps them either.
#[test]
fn without_a_supervisor_the_lock_is_had_as_well() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: takes numbers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let watchdog = Watchdog::new("without_a_supervisor_the_lock_is_had_as_well");
    let mut season = Season::new();
    let method = StartMethod::ForkServer;
    for round in 0..rounds(10) {
        watchdog.step(format!("round {round}"));
        let lender = season.sow(method, Way::Straight);
        assert!(poll_for(killing::HANG / 2, || season.writers().len() == BORROWERS));
        killing::kill(psync::__private::supervisor_pid().expect("it was launched"));
        killing::kill(lender.pid());
        let begin = Instant::now();
        assert!(season.take(lender.pid(), round));
        season.recovery.push(begin.elapsed());
        season.told += 1;
        lender.wait();
    }
    season.report("without a supervisor");
    // SAFETY: as above.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 0) };
}
