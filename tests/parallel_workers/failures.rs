//! Items that fail, items that are ended, and a `parallel!` that unwinds.

use super::{
    common::{self, is_alive, sleep_for_ever, watchdog},
    log::{ITEMS, Log},
    scale,
};
use psync::{Failure, ParallelError, SpawnError, prelude::*};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

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

fn check_what_is_lost(log: &Log, chunk: usize) {
    let error = parallel! {
        with workers = 2, chunk = chunk, on_failure = finish;
        for item in 0..ITEMS => fail(log, item)
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
        if message == "three" && at.contains("failures.rs")));
    assert!(matches!(killed, ProcessError::Signaled { signal: libc::SIGKILL, .. }), "{error}");
    assert!(matches!(exited, ProcessError::Exited { code: 77, .. }), "{error}");
    assert!(matches!(aborted, ProcessError::Signaled { signal: libc::SIGABRT, .. }), "{error}");
}

#[test]
fn what_ends_a_worker_costs_one_item() {
    let _watchdog = watchdog();
    check_what_is_lost(&Log::new(), 1);
}

/// What is lent goes alone, unless it is a static, which every process has.
#[test]
fn what_ends_a_worker_costs_one_item_of_its_chunk() {
    #[shared]
    static LOG: Log = Log::empty();

    let _watchdog = watchdog();
    check_what_is_lost(&LOG, 5);
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

/// What a worker has taken and not begun with counts with what nobody has taken. It hears of the end of all by SIGTERM, and returns.
#[test]
fn the_rest_of_a_chunk_never_begins() {
    #[shared]
    static LOG: Log = Log::empty();

    let _watchdog = watchdog();
    let error = parallel! {
        with workers = 1, chunk = 10, grace = Duration::from_mins(10);
        items: for item in 0..ITEMS => process(item) {
            LOG.sign(item);
            if item == 3 {
                super::await_sigterm(|| LOG.bell.set());
            }
        },
        fail: process() {
            LOG.bell.wait();
            panic!("enough");
        },
    }
    .map(|output| output.items.len())
    .expect_err("one panics");
    assert_eq!(LOG.signed(), [0, 1, 2, 3], "the worker has gone on");
    assert_eq!(failures(&error), [(1, None, "fail"), (0, None, "items")], "{error}");
    assert!(matches!(error.failures()[1].error, ProcessError::Cancelled { pid: 0, .. }), "{error}");
}

/// A failure is seen while the worker is at the next item of its chunk.
#[test]
fn a_failure_does_not_wait_for_the_rest_of_its_chunk() {
    #[shared]
    static LOG: Log = Log::empty();

    let _watchdog = watchdog();
    let error = parallel! {
        with workers = 1, chunk = 10;
        for item in 0..ITEMS => process(item) {
            LOG.sign(item);
            match item {
                0 | 1 => {}
                2 => panic!("enough"),
                _ => common::sleep_for_ever(),
            }
        }
    }
    .expect_err("one panics");
    let begun = LOG.signed();
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
    let mut numbers = [1_u64, 2, 3];
    let error = parallel! {
        with workers = 2;
        for part in numbers.chunks_mut(2) => scale(&mut *part, 3)
    }
    .expect_err("it is nobody's but ours");
    let first = &error.failures()[0];
    assert_eq!(what(first), (0, Some(0), "scale"));
    assert!(first.to_string().contains("shared memory"), "{first}");
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

/// Its exit waits for its children, but not for workers that wait for it.
#[test]
fn an_exit_on_the_way_does_not_wait_for_idle_workers() {
    let _watchdog = watchdog();
    let log = Log::new();
    let exits = psync::spawn(
        |log: Shared<Log>| {
            let items = (0..3_usize).inspect(|item| {
                if *item == 2 {
                    std::process::exit(33);
                }
            });
            parallel! {
                with workers = 2;
                for item in items => process(&log, item) { log.sign(item); log.bell.wait(); }
            }
            .map(drop)
            .map_err(|error| error.to_string())
        },
        log.clone(),
    )
    .expect("a start");
    assert!(common::eventually(|| log.signed() == [0, 1]), "two have begun");
    log.bell.set();
    let error = exits.join().expect_err("it exits");
    assert!(matches!(error, ProcessError::Exited { code: 33, .. }), "{error}");
}

/// An item that waits for the process that waits for it is told.
#[test]
fn an_item_that_waits_for_its_caller_is_told() {
    let _watchdog = watchdog();
    let mutex = Shared::new(Mutex::new(1)).expect("memory");
    let held = mutex.lock().expect("nobody else has it");
    let told = parallel! {
        with workers = 1;
        for _ in 0..2 => process(&mutex) { matches!(mutex.lock(), Err(LockError::Deadlock(_))) }
    };
    assert_eq!(told.expect("nothing fails"), [true, true]);
    drop(held);
}
