//! Waiting for several tasks: for the first, the first error, or all, and taking them as they are completed.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for};
use pooling::{LONG, SOON, held, hold, hold_and_panic, panic_of, pool, square, stage};
use psync::{
    pool::{ReturnWhen, Task, TaskError, as_completed, wait_tasks},
    prelude::*,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

fn done<R: DeserializeOwned + Send + 'static>(tasks: &[Task<R>]) -> bool {
    poll_for(LONG, || tasks.iter().all(Task::is_done))
}

/// The places that tasks of [`hold`] return.
fn places(tasks: Vec<Task<usize>>) -> BTreeSet<usize> {
    tasks.into_iter().map(|task| task.wait().expect("a result")).collect()
}

/// `WaitTests.test_first_completed`
#[test]
fn the_first_is_enough() {
    let _watchdog = Watchdog::new("the_first_is_enough");
    let (pool, stage) = (pool(2), stage());
    let tasks: Vec<_> = (0..2).map(|place| held(&pool, &stage, place)).collect();
    let queued = pool.submit(hold, (stage.clone(), 2)).expect("open");
    thread::scope(|scope| {
        let tasks = tasks.into_iter().chain([queued]).collect();
        let waiter = scope.spawn(|| wait_tasks(tasks, ReturnWhen::First, None));
        thread::park_timeout(SOON);
        assert!(!waiter.is_finished());
        stage.cue[1].set();
        let (finished, others) = waiter.join().expect("no panic");
        assert_eq!((finished.len(), others.len()), (1, 2));
        assert_eq!(places(finished), [1].into());
        stage.cue.iter().for_each(Event::set);
        assert_eq!(places(others), [0, 2].into());
    });
}

/// `WaitTests.test_first_completed_some_already_completed`
#[test]
fn what_is_done_already_is_returned_at_once() {
    let _watchdog = Watchdog::new("what_is_done_already_is_returned_at_once");
    let (pool, stage) = (pool(1), stage());
    let mut tasks = vec![pool.submit(square, 3).expect("open")];
    assert!(done(&tasks));
    let blocked = held(&pool, &stage, 0);
    let cancelled = pool.submit(square, 4).expect("open");
    let pending = pool.submit(square, 5).expect("open");
    assert!(cancelled.cancel());
    tasks.extend([cancelled, pending]);
    let (finished, others) = wait_tasks(tasks, ReturnWhen::First, None);
    assert_eq!((finished.len(), others.len()), (2, 1), "all that are done");
    let results: Vec<_> = finished.into_iter().map(Task::wait).collect();
    assert!(matches!(results[..], [Ok(9), Err(TaskError::Cancelled)]), "in order: {results:?}");
    stage.cue[0].set();
    assert_eq!(places(vec![blocked]), [0].into());
    assert_eq!(others.into_iter().next().map(Task::wait).expect("one").expect("a result"), 25);
}

/// `WaitTests.test_first_exception_some_already_complete`
#[test]
fn the_first_error_is_enough() {
    let _watchdog = Watchdog::new("the_first_error_is_enough");
    let (pool, stage) = (pool(3), stage());
    let mut tasks = vec![held(&pool, &stage, 0)];
    stage.cue[0].set();
    assert!(done(&tasks));
    tasks.push(held(&pool, &stage, 1));
    tasks.push(pool.submit(hold_and_panic, (stage.clone(), 2)).expect("open"));
    stage.here[2].wait();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_tasks(tasks, ReturnWhen::FirstError, None));
        thread::park_timeout(SOON);
        assert!(!waiter.is_finished(), "a result is no error");
        stage.cue[2].set();
        let (mut finished, others) = waiter.join().expect("no panic");
        assert_eq!((finished.len(), others.len()), (2, 1));
        assert_eq!(panic_of(&finished.remove(1).wait()), Some("from place 2"));
        assert_eq!(places(finished), [0].into());
        stage.cue[1].set();
        assert_eq!(places(others), [1].into());
    });
}

/// `WaitTests.test_first_exception_one_already_failed`
#[test]
fn an_error_that_is_there_is_enough() {
    let _watchdog = Watchdog::new("an_error_that_is_there_is_enough");
    let (pool, stage) = (pool(2), stage());
    let failed = vec![pool.submit(hold_and_panic, (stage.clone(), 0)).expect("open")];
    stage.cue[0].set();
    assert!(done(&failed));
    let tasks = failed.into_iter().chain([held(&pool, &stage, 1)]).collect();
    let (finished, others) = wait_tasks(tasks, ReturnWhen::FirstError, None);
    assert_eq!((finished.len(), others.len()), (1, 1));
    stage.cue[1].set();
    assert_eq!(places(others), [1].into());
}

#[test]
fn without_an_error_all_are_waited_for() {
    let _watchdog = Watchdog::new("without_an_error_all_are_waited_for");
    let pool = pool(2);
    let tasks = (0..20).map(|n| pool.submit(square, n).expect("open")).collect();
    let (finished, others) = wait_tasks(tasks, ReturnWhen::FirstError, None);
    assert_eq!((finished.len(), others.len()), (20, 0));
}

/// `WaitTests.test_all_completed`
#[test]
fn all_are_waited_for_however_they_end() {
    let _watchdog = Watchdog::new("all_are_waited_for_however_they_end");
    let (pool, stage) = (pool(2), stage());
    let mut tasks: Vec<_> = (0..2).map(|place| held(&pool, &stage, place)).collect();
    let cancelled = pool.submit(hold, (stage.clone(), 2)).expect("open");
    assert!(cancelled.cancel());
    tasks.push(cancelled);
    tasks.push(pool.submit(hold_and_panic, (stage.clone(), 3)).expect("open"));
    tasks.push(pool.submit(hold, (stage.clone(), 4)).expect("open"));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_tasks(tasks, ReturnWhen::All, None));
        for place in [0, 3, 4] {
            assert!(!waiter.is_finished());
            stage.cue[place].set();
            stage.here[place].wait();
        }
        thread::park_timeout(SOON);
        assert!(!waiter.is_finished(), "one still runs");
        stage.cue[1].set();
        let (finished, others) = waiter.join().expect("no panic");
        assert!(others.is_empty());
        let results: Vec<_> = finished.into_iter().map(Task::wait).collect();
        assert!(
            matches!(
                results[..],
                [Ok(0), Ok(1), Err(TaskError::Cancelled), Err(TaskError::Panicked { .. }), Ok(4)]
            ),
            "in the order in which they were given: {results:?}"
        );
    });
}

/// `WaitTests.test_timeout`
#[test]
fn a_wait_that_is_over_returns_what_is_done() {
    let _watchdog = Watchdog::new("a_wait_that_is_over_returns_what_is_done");
    let (pool, stage) = (pool(1), stage());
    let mut tasks: Vec<_> =
        (0..3).map(|_| pool.submit(hold, (stage.clone(), 0)).expect("open")).collect();
    stage.cue[0].set();
    assert!(done(&tasks));
    tasks.push(held(&pool, &stage, 1));
    let began = Instant::now();
    let (finished, others) = wait_tasks(tasks, ReturnWhen::All, Some(SOON));
    assert!(began.elapsed() >= SOON);
    assert_eq!((finished.len(), others.len()), (3, 1));
    let (finished, others) = wait_tasks(others, ReturnWhen::All, Some(Duration::ZERO));
    assert_eq!((finished.len(), others.len()), (0, 1));
    stage.cue[1].set();
    assert_eq!(places(others), [1].into());
}

/// `WaitTests.test_20369`, `AsCompletedTests.test_duplicate_futures`
#[test]
fn nothing_is_waited_for_at_once_and_nothing_twice() {
    let _watchdog = Watchdog::new("nothing_is_waited_for_at_once_and_nothing_twice");
    for when in [ReturnWhen::First, ReturnWhen::FirstError, ReturnWhen::All] {
        let (finished, others) = wait_tasks(Vec::<Task<u64>>::new(), when, None);
        assert!(finished.is_empty() && others.is_empty());
    }
    assert!(as_completed(Vec::<Task<u64>>::new()).next().is_none());
    let pool = pool(1);
    let tasks = vec![pool.submit(square, 1).expect("open")];
    assert_eq!(as_completed(tasks).count(), 1);
}

/// `ThreadPoolWaitTests.test_pending_calls_race`
#[test]
fn no_end_is_missed_when_many_come_together() {
    let watchdog = Watchdog::new("no_end_is_missed_when_many_come_together");
    let pool = pool(4);
    for round in 0..killing::rounds(20) {
        watchdog.step(format!("round {round}"));
        let stage = stage();
        let tasks: Vec<_> =
            (0..100).map(|_| pool.submit(hold, (stage.clone(), 0)).expect("open")).collect();
        stage.cue[0].set();
        let (finished, others) = wait_tasks(tasks, ReturnWhen::All, None);
        assert_eq!((finished.len(), others.len()), (100, 0));
        let one_by_one = (0..100).map(|n| pool.submit(square, n).expect("open")).collect();
        let mut seen: Vec<u64> =
            as_completed(one_by_one).map(|task| task.wait().expect("a result")).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).map(square).collect::<Vec<_>>());
    }
}

#[test]
fn tasks_come_in_the_order_of_their_ends() {
    let _watchdog = Watchdog::new("tasks_come_in_the_order_of_their_ends");
    let (pool, stage) = (pool(4), stage());
    let tasks = (0..4).map(|place| held(&pool, &stage, place)).collect();
    let mut completed = as_completed(tasks);
    for place in [2, 0, 3, 1] {
        stage.cue[place].set();
        let task = completed.next().expect("one more");
        assert!(task.is_done());
        assert_eq!(task.wait().expect("a result"), place);
    }
    assert!(completed.next().is_none() && completed.next().is_none());
}

/// `AsCompletedTests.test_future_times_out`
#[test]
fn what_is_done_comes_before_the_time_is_up() {
    let _watchdog = Watchdog::new("what_is_done_comes_before_the_time_is_up");
    for limit in [Duration::ZERO, SOON] {
        let (pool, stage) = (pool(1), stage());
        let tasks: Vec<_> =
            (0..3).map(|_| pool.submit(hold, (stage.clone(), 0)).expect("open")).collect();
        stage.cue[0].set();
        assert!(done(&tasks));
        let tasks = tasks.into_iter().chain([held(&pool, &stage, 1)]).collect();
        let began = Instant::now();
        let mut completed = as_completed(tasks).timeout(limit);
        for _ in 0..3 {
            let task = completed.next().expect("one more").expect("it is done");
            assert_eq!(task.wait().expect("a result"), 0);
        }
        let error = completed.next().expect("an error").expect_err("it still runs");
        assert!(began.elapsed() >= limit);
        assert_eq!((error.unfinished, error.total), (1, 4));
        assert!(completed.next().is_none(), "that was the end");
        stage.cue[1].set();
    }
}

/// `AsCompletedTests.test_correct_timeout_exception_msg`
#[test]
fn a_wait_that_is_over_says_how_many_are_missing() {
    let _watchdog = Watchdog::new("a_wait_that_is_over_says_how_many_are_missing");
    let (pool, stage) = (pool(2), stage());
    stage.cue[..2].iter().for_each(Event::set);
    let mut tasks: Vec<_> = (0..2).map(|place| held(&pool, &stage, place)).collect();
    assert!(done(&tasks));
    tasks.extend((2..4).map(|place| held(&pool, &stage, place)));
    let error = as_completed(tasks).timeout(Duration::ZERO).find_map(Result::err).expect("late");
    assert_eq!((error.unfinished, error.total), (2, 4));
    let said = error.to_string();
    assert!(said.starts_with("2 of 4 tasks"), "{said}");
    stage.cue.iter().for_each(Event::set);
}

/// How many of these there are in this process.
static LIVING: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize)]
struct Living;

impl<'de> Deserialize<'de> for Living {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LIVING.fetch_add(1, SeqCst);
        <()>::deserialize(deserializer).map(|()| Self)
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, SeqCst);
    }
}

/// `AsCompletedTests.test_free_reference_yielded_future`
#[test]
fn what_has_been_yielded_is_not_kept() {
    let _watchdog = Watchdog::new("what_has_been_yielded_is_not_kept");
    let pool = pool(1);
    let make = |_: u32| -> Living {
        LIVING.fetch_add(1, SeqCst);
        Living
    };
    let mut completed = as_completed((0..5).map(|n| pool.submit(make, n).expect("open")).collect());
    for _ in 0..5 {
        drop(completed.next().expect("one more").wait().expect("a result"));
    }
    assert_eq!(LIVING.load(SeqCst), 0, "while the iterator is there");
    assert!(completed.next().is_none());
    let mut timed = as_completed(vec![pool.submit(make, 5).expect("open")]).timeout(LONG);
    drop(timed.next().expect("one").expect("in time").wait().expect("a result"));
    assert_eq!(LIVING.load(SeqCst), 0);
    drop(timed);
}
