//! Handles of single tasks: their states, waiting with and without a limit, cancelling, ending what runs, and callbacks.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "a task owns what it is given")]

mod killing;
mod pooling;

use killing::{Watchdog, kill, poll_for};
use pooling::{
    LONG, SOON, Stage, held, hold, hold_and_panic, lost_by, panic_of, pids, pool, recovers, square,
    stage, stay,
};
use psync::{
    pool::{Task, TaskError},
    prelude::*,
};
use serde::de::DeserializeOwned;
use std::{
    sync::{
        Arc, Mutex as StdMutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

/// Waits for the end of a task without taking it.
fn done<R: DeserializeOwned + Send + 'static>(task: &Task<R>) -> bool {
    poll_for(LONG, || task.is_done())
}

/// `FutureTests.test_repr`, `FutureTests.test_done`, `FutureTests.test_running`, `FutureTests.test_cancelled`
#[test]
fn the_states_of_a_task_are_seen() {
    let _watchdog = Watchdog::new("the_states_of_a_task_are_seen");
    let (pool, stage) = (pool(1), stage());
    let states = |task: &Task<usize>| (task.is_done(), task.is_running(), task.is_cancelled());
    let running = held(&pool, &stage, 0);
    let failing = pool.submit(hold_and_panic, (stage.clone(), 1)).expect("open");
    let cancelled = pool.submit(hold, (stage.clone(), 2)).expect("open");
    assert_eq!(states(&running), (false, true, false));
    assert_eq!(states(&failing), (false, false, false));
    assert_eq!(format!("{running:?} {failing:?}"), "Task(running) Task(pending)");
    assert!(cancelled.cancel());
    assert_eq!(states(&cancelled), (true, false, true));
    assert_eq!(format!("{cancelled:?}"), "Task(cancelled)");
    stage.cue.iter().for_each(Event::set);
    assert!(done(&running) && done(&failing));
    assert_eq!(states(&running), (true, false, false));
    assert_eq!(states(&failing), (true, false, false));
    assert_eq!(format!("{running:?}"), "Task(returned)");
    let failed = format!("{failing:?}");
    assert!(failed.starts_with("Task(failed: ") && failed.contains("from place 1"), "{failed}");
    assert!(matches!(cancelled.wait(), Err(TaskError::Cancelled)));
    assert_eq!(running.wait().expect("a result"), 0);
    assert_eq!(panic_of(&failing.wait()), Some("from place 1"));
}

/// `FutureTests.test_cancel`
#[test]
fn only_what_has_not_begun_is_cancelled() {
    let _watchdog = Watchdog::new("only_what_has_not_begun_is_cancelled");
    let (pool, stage) = (pool(1), stage());
    let running = held(&pool, &stage, 0);
    let pending: Vec<_> =
        (1..10).map(|place| pool.submit(hold, (stage.clone(), place)).expect("open")).collect();
    assert!(!running.cancel());
    for task in &pending {
        assert!(task.cancel() && task.cancel(), "{task:?}");
    }
    assert!(!running.is_cancelled() && running.is_running());
    stage.cue.iter().for_each(Event::set);
    assert!(done(&running));
    assert!(!running.cancel() && !running.is_cancelled());
    assert_eq!(running.wait().expect("a result"), 0);
    for task in pending {
        assert!(matches!(task.wait(), Err(TaskError::Cancelled)));
    }
    recovers(&pool, 1);
    assert!((1..10).all(|place| !stage.here[place].is_set()), "one of them has run");
}

/// `FutureTests.test_result_with_timeout`, `FutureTests.test_exception_with_timeout`
#[test]
fn a_wait_of_no_time_tells_what_there_is() {
    let _watchdog = Watchdog::new("a_wait_of_no_time_tells_what_there_is");
    let (pool, stage) = (pool(1), stage());
    let mut running = held(&pool, &stage, 0);
    let mut pending = pool.submit(hold, (stage.clone(), 1)).expect("open");
    let mut failing = pool.submit(hold_and_panic, (stage.clone(), 2)).expect("open");
    for task in [&mut running, &mut pending, &mut failing] {
        assert!(task.wait_timeout(Duration::ZERO).is_none());
    }
    let began = Instant::now();
    assert!(running.wait_timeout(SOON).is_none());
    assert!(began.elapsed() >= SOON);
    assert!(pending.cancel());
    assert!(matches!(pending.wait_timeout(Duration::ZERO), Some(Err(TaskError::Cancelled))));
    stage.cue.iter().for_each(Event::set);
    assert!(done(&running) && done(&failing));
    assert!(matches!(running.wait_timeout(Duration::ZERO), Some(Ok(0))));
    let failed = failing.wait_timeout(Duration::ZERO).expect("it has failed");
    assert_eq!(panic_of(&failed), Some("from place 2"));
}

/// `FutureTests.test_result_with_success`, `FutureTests.test_exception_with_success`
#[test]
fn a_wait_ends_when_the_task_does() {
    let _watchdog = Watchdog::new("a_wait_ends_when_the_task_does");
    let (pool, stage) = (pool(2), stage());
    let fine = held(&pool, &stage, 0);
    let mut failing = pool.submit(hold_and_panic, (stage.clone(), 1)).expect("open");
    stage.here[1].wait();
    thread::scope(|scope| {
        let fine = scope.spawn(|| fine.wait());
        let failing = scope.spawn(|| failing.wait_timeout(LONG));
        thread::park_timeout(SOON);
        assert!(!fine.is_finished() && !failing.is_finished());
        stage.cue[..2].iter().for_each(Event::set);
        assert_eq!(fine.join().expect("no panic").expect("a result"), 0);
        let failed = failing.join().expect("no panic").expect("in time");
        assert_eq!(panic_of(&failed), Some("from place 1"));
    });
}

/// `FutureTests.test_result_with_cancel`
#[test]
fn a_wait_ends_when_the_task_will_never_begin() {
    let _watchdog = Watchdog::new("a_wait_ends_when_the_task_will_never_begin");
    let (pool, stage) = (pool(1), stage());
    let running = held(&pool, &stage, 0);
    let pending = pool.submit(hold, (stage.clone(), 1)).expect("open");
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    pending.on_done(move |_| {
        tell.fetch_add(1, SeqCst);
    });
    // Whoever waits has the handle, so nobody else can cancel by it.
    thread::scope(|scope| {
        let waiter = scope.spawn(|| pending.wait());
        thread::park_timeout(SOON);
        assert!(!waiter.is_finished());
        pool.terminate();
        assert!(matches!(waiter.join().expect("no panic"), Err(TaskError::Closed)));
    });
    assert_eq!(told.load(SeqCst), 1);
    assert!(matches!(running.wait(), Err(TaskError::Closed)));
}

/// `FutureTests.test_get_snapshot`
#[test]
fn many_looks_at_a_task_that_is_done_agree() {
    let _watchdog = Watchdog::new("many_looks_at_a_task_that_is_done_agree");
    let pool = pool(1);
    let task = pool.submit(square, 42).expect("open");
    assert!(done(&task));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    assert!(task.is_done() && !task.is_cancelled() && !task.is_running());
                    assert_eq!(format!("{task:?}"), "Task(returned)");
                }
            });
        }
    });
    assert_eq!(task.wait().expect("a result"), 42 * 42);
}

/// `FutureTests.test_multiple_set_exception`
#[test]
fn the_first_end_of_a_task_is_the_one_that_counts() {
    let _watchdog = Watchdog::new("the_first_end_of_a_task_is_the_one_that_counts");
    let pool = pool(1);
    let failing = pool.submit(|n: u32| assert_eq!(n, 2, "the first"), 1).expect("open");
    assert!(done(&failing));
    assert!(!failing.cancel());
    failing.kill();
    failing.kill();
    let result = failing.wait();
    assert!(panic_of(&result).is_some_and(|message| message.contains("the first")), "{result:?}");
    recovers(&pool, 1);
}

/// `FutureTests.test_done_callback_with_result`, `_TestPool.test_map_async_callbacks`
#[test]
fn callbacks_see_the_result_before_a_wait_returns() {
    let _watchdog = Watchdog::new("callbacks_see_the_result_before_a_wait_returns");
    let (pool, stage) = (pool(1), stage());
    let seen = Arc::new(StdMutex::new(Vec::new()));
    let task = held(&pool, &stage, 5);
    for n in 0..3 {
        let seen = Arc::clone(&seen);
        task.on_done(move |result| {
            let place = *result.as_ref().expect("a result");
            seen.lock().expect("no panic").push((n, place));
        });
    }
    stage.cue[5].set();
    assert_eq!(task.wait().expect("a result"), 5);
    assert_eq!(*seen.lock().expect("no panic"), [(0, 5), (1, 5), (2, 5)], "each once, in order");
}

/// `FutureTests.test_done_callback_with_exception`, `_TestPoolWorkerErrors.test_async_error_callback`
#[test]
fn callbacks_see_the_error_as_well() {
    let _watchdog = Watchdog::new("callbacks_see_the_error_as_well");
    let (pool, stage) = (pool(1), stage());
    let (seen, panicking) =
        (Arc::new(StdMutex::new(String::new())), pool.submit(hold_and_panic, (stage.clone(), 4)));
    let (panicking, saw) = (panicking.expect("open"), Arc::clone(&seen));
    panicking.on_done(move |result| {
        *saw.lock().expect("no panic") = panic_of(result).expect("a panic").to_owned();
    });
    stage.cue[4].set();
    let result = panicking.wait();
    assert_eq!(panic_of(&result), Some("from place 4"));
    assert_eq!(*seen.lock().expect("no panic"), "from place 4");
}

/// `FutureTests.test_done_callback_raises`
#[test]
fn a_callback_that_panics_hurts_nobody() {
    let _watchdog = Watchdog::new("a_callback_that_panics_hurts_nobody");
    let (pool, stage, calls) = (pool(1), stage(), Arc::new(AtomicUsize::new(0)));
    let task = held(&pool, &stage, 0);
    for n in 0..4 {
        let calls = Arc::clone(&calls);
        task.on_done(move |_| {
            calls.fetch_add(1, SeqCst);
            assert!(n % 2 != 0, "callback {n} panics");
        });
    }
    stage.cue[0].set();
    assert_eq!(task.wait().expect("a result"), 0);
    assert_eq!(calls.load(SeqCst), 4);
    for _ in 0..10 {
        recovers(&pool, 1);
    }
    let last = pool.submit(square, 2).expect("open");
    let again = Arc::clone(&calls);
    last.on_done(move |_| {
        again.fetch_add(1, SeqCst);
    });
    assert_eq!(last.wait().expect("a result"), 4);
    assert_eq!(calls.load(SeqCst), 5, "callbacks are still called");
}

/// `FutureTests.test_done_callback_already_cancelled`, `FutureTests.test_done_callback_raises_already_succeeded`
#[test]
fn a_callback_on_what_is_done_is_called_at_once() {
    let _watchdog = Watchdog::new("a_callback_on_what_is_done_is_called_at_once");
    let (pool, stage, calls) = (pool(1), stage(), Arc::new(AtomicUsize::new(0)));
    let running = held(&pool, &stage, 0);
    let cancelled = pool.submit(hold, (stage.clone(), 1)).expect("open");
    assert!(cancelled.cancel());
    let (count, here) = (Arc::clone(&calls), thread::current().id());
    cancelled.on_done(move |result| {
        assert!(matches!(result, Err(TaskError::Cancelled)));
        assert_eq!(thread::current().id(), here);
        count.fetch_add(1, SeqCst);
    });
    assert_eq!(calls.load(SeqCst), 1);
    stage.cue[0].set();
    assert!(done(&running));
    running.on_done(|result| panic!("{result:?} is contained"));
    let count = Arc::clone(&calls);
    running.on_done(move |result| {
        assert!(matches!(result, Ok(0)));
        count.fetch_add(1, SeqCst);
    });
    assert_eq!(calls.load(SeqCst), 2);
    assert_eq!(running.wait().expect("a result"), 0);
}

#[test]
fn what_runs_is_ended_by_a_kill_and_its_worker_replaced() {
    let _watchdog = Watchdog::new("what_runs_is_ended_by_a_kill_and_its_worker_replaced");
    let (pool, stage) = (pool(2), stage());
    let endless = pool.submit(stay, (stage.clone(), 0)).expect("open");
    stage.here[0].wait();
    let neighbour = held(&pool, &stage, 1);
    let queued = pool.submit(hold, (stage.clone(), 2)).expect("open");
    endless.kill();
    queued.kill();
    assert!(matches!(endless.wait(), Err(TaskError::Killed)));
    assert!(matches!(queued.wait(), Err(TaskError::Killed)));
    assert!(neighbour.is_running());
    stage.cue[1].set();
    assert_eq!(neighbour.wait().expect("a result"), 1);
    recovers(&pool, 2);
    assert!(!pids(&pool).contains(&stage.pids[0].get()) && !stage.here[2].is_set());
}

#[test]
fn what_takes_too_long_is_ended_and_its_worker_replaced() {
    let _watchdog = Watchdog::new("what_takes_too_long_is_ended_and_its_worker_replaced");
    let stage = stage();
    let limit = Duration::from_millis(200);
    let builder = Pool::builder().workers(2).task_timeout(limit).retries(5);
    let pool = builder.build().expect("a pool");
    let began = Instant::now();
    let endless: Vec<_> =
        (0..4).map(|place| pool.submit(stay, (stage.clone(), place)).expect("open")).collect();
    for task in endless {
        assert!(matches!(task.wait(), Err(TaskError::TimedOut)));
    }
    assert!(began.elapsed() >= limit * 2, "two at a time");
    assert!((0..4).all(|place| stage.here[place].is_set()), "each has begun");
    recovers(&pool, 2);
    assert_eq!(pool.stats().retried, 0, "it would take too long again");
}

fn die_at_first(stage: Shared<Stage>) -> u32 {
    let before = stage.count.fetch_add(1, SeqCst);
    if before < 2 {
        kill(psync::current().pid());
    }
    before
}

#[test]
fn a_task_whose_worker_dies_is_tried_again_as_often_as_allowed() {
    let _watchdog = Watchdog::new("a_task_whose_worker_dies_is_tried_again_as_often_as_allowed");
    let stage = stage();
    let pool = Pool::builder().workers(2).retries(2).build().expect("a pool");
    assert_eq!(pool.run(die_at_first, stage.clone()).expect("the third time"), 2);
    let stats = pool.stats();
    assert_eq!((stats.retried, stats.lost_workers), (2, 2), "{stats:?}");
    let poison = |stage: Shared<Stage>| -> u32 {
        stage.count.fetch_add(1, SeqCst);
        std::process::abort();
    };
    let result = pool.run(poison, stage.clone());
    assert_eq!(lost_by(&result), Some(libc::SIGABRT), "{result:?}");
    assert_eq!(stage.count.load(SeqCst), 3 + 3, "once, and two retries");
    recovers(&pool, 2);
    let fails = |stage: Shared<Stage>| -> u32 { panic!("{}", stage.count.fetch_add(1, SeqCst)) };
    assert_eq!(panic_of(&pool.run(fails, stage)), Some("6"), "a panic is an answer");
}

#[test]
fn a_handle_that_is_dropped_leaves_its_task_alone() {
    let _watchdog = Watchdog::new("a_handle_that_is_dropped_leaves_its_task_alone");
    let (pool, stage) = (pool(1), stage());
    drop(held(&pool, &stage, 0));
    drop(pool.submit(hold, (stage.clone(), 1)).expect("open"));
    stage.cue[..2].iter().for_each(Event::set);
    stage.here[1].wait();
    recovers(&pool, 1);
}

#[test]
fn many_are_cancelled_one_by_one() {
    let _watchdog = Watchdog::new("many_are_cancelled_one_by_one");
    let (pool, stage) = (pool(1), stage());
    let running = held(&pool, &stage, 0);
    let tasks: Vec<Task<u64>> =
        (0..20_000).map(|n| pool.submit(square, n).expect("open")).collect();
    assert_eq!(pool.stats().queued, 20_000);
    assert!(tasks.iter().step_by(2).all(Task::cancel));
    stage.cue[0].set();
    assert_eq!(running.wait(), Ok(0));
    for (n, task) in (0..).zip(tasks) {
        let expected = if n % 2 == 0 { Err(TaskError::Cancelled) } else { Ok(n * n) };
        assert_eq!(task.wait(), expected);
    }
    recovers(&pool, 1);
}
