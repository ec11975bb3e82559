//! The ends of a pool: closed and joined, terminated, dropped, or left to the end of the program.
#![allow(missing_docs, unsafe_code, reason = "tests; one is deaf to a signal")]
#![allow(clippy::disallowed_methods, reason = "a worker exits")]

mod common;
mod killing;
mod pooling;

use common::programs::{command, run, told};
use killing::{Watchdog, kill, poll_for};
use pooling::{
    LONG, Place, SOON, Stage, exited_with, gone, held, hold, hold_and_panic, lost_by, panic_of,
    pids, pool, recovers, square, stage, stay,
};
use psync::{
    pool::{MapOptions, SubmitError, Task, TaskError},
    prelude::*,
};
use std::{sync::atomic::Ordering::SeqCst, thread};

fn is_closed(pool: &Pool) -> bool {
    matches!(pool.submit(square, 1), Err(SubmitError::Closed))
        && matches!(pool.run(square, 1), Err(TaskError::Closed))
        && matches!(pool.map(square, 0..9), Err(TaskError::Closed))
        && matches!(pool.imap(square, 0..9).next(), Some(Err(TaskError::Closed)))
}

/// `ExecutorShutdownTest.test_run_after_shutdown`
#[test]
fn a_closed_pool_takes_nothing_and_finishes_what_it_has() {
    let _watchdog = Watchdog::new("a_closed_pool_takes_nothing_and_finishes_what_it_has");
    let (pool, stage) = (pool(1), stage());
    let running = held(&pool, &stage, 0);
    let queued = pool.submit(hold, (stage.clone(), 1)).expect("open");
    pool.close();
    pool.close();
    assert!(is_closed(&pool));
    stage.cue[..2].iter().for_each(Event::set);
    assert_eq!(running.wait().expect("a result"), 0);
    assert_eq!(queued.wait().expect("a result"), 1);
    assert!(is_closed(&pool));
    pool.join().expect("ends");
}

/// `ExecutorShutdownTest.test_hang_issue12364`, `ProcessPoolShutdownTest.test_del_shutdown`
#[test]
fn a_join_waits_for_all_that_is_queued() {
    let _watchdog = Watchdog::new("a_join_waits_for_all_that_is_queued");
    let (pool, stage) = (pool(2), stage());
    let count = |(stage, n): (Shared<Stage>, u64)| {
        stage.cue[0].wait();
        stage.count.fetch_add(1, SeqCst);
        n
    };
    let tasks: Vec<_> =
        (0..50).map(|n| pool.submit(count, (stage.clone(), n)).expect("open")).collect();
    let workers = pids(&pool);
    thread::scope(|scope| {
        let joining = scope.spawn(|| pool.join());
        thread::park_timeout(SOON);
        assert!(!joining.is_finished());
        stage.cue[0].set();
        joining.join().expect("no panic").expect("ends");
    });
    assert_eq!(stage.count.load(SeqCst), 50);
    assert!(tasks.iter().all(Task::is_done), "before the join returned");
    assert!(workers.iter().all(|pid| killing::look_at(*pid).is_none()));
    for (n, task) in (0..).zip(tasks) {
        assert_eq!(task.wait().expect("a result"), n);
    }
}

/// `ProcessPoolShutdownTest.test_processes_terminate`
#[test]
fn no_worker_outlives_a_join() {
    let _watchdog = Watchdog::new("no_worker_outlives_a_join");
    let (pool, stage) = (pool(5), stage());
    let tasks: Vec<_> = (0..3).map(|place| held(&pool, &stage, place)).collect();
    let workers = pids(&pool);
    assert_eq!(workers.len(), 5);
    stage.cue.iter().for_each(Event::set);
    pool.join().expect("ends");
    assert!(workers.iter().all(|pid| killing::look_at(*pid).is_none()));
    assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
}

/// `ExecutorShutdownTest.test_cancel_futures`, `ThreadPoolShutdownTest.test_cancel_futures_wait_false`
#[test]
fn what_has_not_begun_can_be_left_out() {
    let _watchdog = Watchdog::new("what_has_not_begun_can_be_left_out");
    let (pool, stage) = (pool(5), stage());
    let running: Vec<_> = (0..5).map(|place| held(&pool, &stage, place)).collect();
    let submit = |_| pool.submit(hold, (stage.clone(), 5)).expect("open");
    let queued: Vec<_> = (0..45).map(submit).collect();
    pool.close();
    assert!(queued.iter().all(Task::cancel));
    stage.cue.iter().for_each(Event::set);
    pool.join().expect("ends");
    assert!(running.into_iter().all(|task| task.wait().is_ok()));
    assert!(queued.into_iter().all(|task| matches!(task.wait(), Err(TaskError::Cancelled))));
    assert!(!stage.here[5].is_set());
}

/// The same, and is deaf to SIGTERM.
fn stay_stubbornly((stage, place): Place) -> usize {
    // SAFETY: the disposition is one of the kernel's own.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    stay((stage, place))
}

/// `ProcessPoolExecutorTest.test_terminate_workers`, `ProcessPoolExecutorTest.test_force_shutdown_workers`,
/// `ProcessPoolExecutorTest.test_force_shutdown_workers_stops_pool`
#[test]
fn a_terminated_pool_ends_what_runs() {
    let _watchdog = Watchdog::new("a_terminated_pool_ends_what_runs");
    let (pool, stage) = (pool(2), stage());
    let running = held(&pool, &stage, 0);
    let queued: Vec<_> =
        (0..10).map(|_| pool.submit(hold, (stage.clone(), 1)).expect("open")).collect();
    let workers = pids(&pool);
    stage.here[1].wait();
    pool.terminate();
    assert!(is_closed(&pool));
    assert!(matches!(running.wait(), Err(TaskError::Closed)));
    assert!(queued.into_iter().all(|task| matches!(task.wait(), Err(TaskError::Closed))));
    assert!(gone(&workers));
    assert!(pool.workers().iter().all(|one| !pooling::is_alive(one.pid)), "{:?}", pool.workers());
    pool.terminate();
    pool.join().expect("ends");
}

/// `ProcessPoolExecutorTest.test_kill_workers`
#[test]
fn who_is_deaf_to_a_termination_is_killed() {
    let _watchdog = Watchdog::new("who_is_deaf_to_a_termination_is_killed");
    let (pool, stage) = (pool(2), stage());
    let deaf = pool.submit(stay_stubbornly, (stage.clone(), 0)).expect("open");
    stage.here[0].wait();
    let workers = pids(&pool);
    pool.terminate();
    assert!(matches!(deaf.wait(), Err(TaskError::Closed)));
    pool.join().expect("ends");
    assert!(workers.iter().all(|pid| killing::look_at(*pid).is_none()));
}

/// `ProcessPoolExecutorTest.test_force_shutdown_workers_dead_workers`
#[test]
fn dead_workers_do_not_keep_a_pool_from_ending() {
    let _watchdog = Watchdog::new("dead_workers_do_not_keep_a_pool_from_ending");
    for all_at_once in [false, true] {
        let pool = pool(2);
        let result = pool.run(|code: i32| -> u8 { std::process::exit(code) }, 1);
        assert_eq!(exited_with(&result), Some(1), "{result:?}");
        if all_at_once {
            pids(&pool).into_iter().for_each(kill);
        }
        pool.terminate();
        pool.terminate();
        assert!(is_closed(&pool));
        pool.join().expect("ends");
    }
}

/// `ProcessPoolExecutorTest.test_force_shutdown_workers_not_started_yet`
#[test]
fn a_pool_can_end_before_it_has_begun() {
    let watchdog = Watchdog::new("a_pool_can_end_before_it_has_begun");
    for round in 0..killing::rounds(10) {
        watchdog.step(format!("terminated, round {round}"));
        let started = pool(3);
        started.terminate();
        started.join().expect("ends");
        watchdog.step(format!("joined, round {round}"));
        pool(3).join().expect("ends");
        watchdog.step(format!("dropped, round {round}"));
        drop(pool(3));
    }
    assert!(poll_for(LONG, || {
        psync::active_children().iter().all(|child| !child.name().starts_with("Pool-"))
    }));
}

/// `ProcessPoolExecutorTest.test_force_shutdown_during_max_tasks_worker_exit`
#[test]
fn a_worker_that_has_done_its_number_is_not_replaced_at_the_end() {
    let watchdog = Watchdog::new("a_worker_that_has_done_its_number_is_not_replaced_at_the_end");
    for round in 0..killing::rounds(10) {
        watchdog.step(format!("round {round}"));
        let pool = Pool::builder().workers(1).max_tasks_per_worker(1).build().expect("a pool");
        let stage = stage();
        let first = held(&pool, &stage, 0);
        let queued = pool.submit(hold, (stage.clone(), 1)).expect("open");
        let worker = pids(&pool);
        stage.cue[0].set();
        pool.terminate();
        assert!(matches!(queued.wait(), Err(TaskError::Closed)));
        assert!(matches!(first.wait(), Ok(0) | Err(TaskError::Closed)));
        pool.join().expect("ends");
        assert!(gone(&worker));
        assert!(!stage.here[1].is_set() || !pooling::is_alive(stage.pids[1].get()));
    }
}

/// `ProcessPoolExecutorTest.test_shutdown_no_wait_max_tasks_gh119592`
#[test]
fn replacements_still_come_when_a_pool_is_closed() {
    let _watchdog = Watchdog::new("replacements_still_come_when_a_pool_is_closed");
    let pool = Pool::builder().workers(1).max_tasks_per_worker(1).build().expect("a pool");
    let stage = stage();
    let first = held(&pool, &stage, 0);
    let submit = |place| pool.submit(hold, (stage.clone(), place)).expect("open");
    let queued: Vec<_> = (1..3).map(submit).collect();
    pool.close();
    stage.cue.iter().for_each(Event::set);
    for (place, task) in [first].into_iter().chain(queued).enumerate() {
        assert_eq!(task.wait().expect("a result"), place);
    }
    pool.join().expect("ends");
}

/// `ProcessPoolExecutorTest.test_gc_during_max_tasks_worker_exit_gh152967`
#[test]
fn a_pool_that_is_dropped_leaves_nobody_waiting() {
    let watchdog = Watchdog::new("a_pool_that_is_dropped_leaves_nobody_waiting");
    for round in 0..killing::rounds(10) {
        watchdog.step(format!("round {round}"));
        let pool = Pool::builder().workers(1).max_tasks_per_worker(1).build().expect("a pool");
        let stage = stage();
        stage.cue[0].set();
        let mut tasks: Vec<_> =
            (0..3).map(|place| pool.submit(hold, (stage.clone(), place)).expect("open")).collect();
        let first = tasks.remove(0).wait();
        assert_eq!(first.expect("a result"), 0);
        drop(pool);
        assert!(tasks.iter().all(Task::is_done));
        assert!(tasks.into_iter().all(|task| matches!(task.wait(), Err(TaskError::Closed))));
    }
}

/// `ProcessPoolShutdownTest.test_shutdown_gh_132969_case_1`
#[test]
fn a_failure_among_the_last_tasks_is_one_of_its_own() {
    let _watchdog = Watchdog::new("a_failure_among_the_last_tasks_is_one_of_its_own");
    let pool = Pool::builder().workers(2).max_tasks_per_worker(1).build().expect("a pool");
    let halve = |n: u32| {
        assert!(n != 2, "not {n}");
        n
    };
    let tasks: Vec<_> = (1..4).map(|n| pool.submit(halve, n).expect("open")).collect();
    pool.close();
    let results: Vec<_> = tasks.into_iter().map(Task::wait).collect();
    assert!(matches!(results[..], [Ok(1), Err(_), Ok(3)]), "{results:?}");
    assert_eq!(panic_of(&results[1]), Some("not 2"));
    pool.join().expect("ends");
}

#[test]
fn a_pool_can_be_ended_by_a_callback_and_by_any_thread() {
    let _watchdog = Watchdog::new("a_pool_can_be_ended_by_a_callback_and_by_any_thread");
    let (pool, stage) = (std::sync::Arc::new(pool(2)), stage());
    let running = held(&pool, &stage, 0);
    let other = held(&pool, &stage, 1);
    let ended = std::sync::Arc::clone(&pool);
    running.on_done(move |_| ended.terminate());
    stage.cue[0].set();
    assert_eq!(running.wait().expect("a result"), 0);
    assert!(matches!(other.wait(), Err(TaskError::Closed)));
    assert!(is_closed(&pool));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| pool.terminate());
        }
    });
}

#[test]
fn a_worker_that_dies_while_a_pool_is_joined_takes_its_task_along() {
    let _watchdog = Watchdog::new("a_worker_that_dies_while_a_pool_is_joined_takes_its_task_along");
    let (pool, stage) = (pool(1), stage());
    let running = held(&pool, &stage, 0);
    let queued = pool.submit(square, 3).expect("open");
    let failing = pool.submit(hold_and_panic, (stage.clone(), 1)).expect("open");
    thread::scope(|scope| {
        let joining = scope.spawn(|| pool.join());
        stage.cue[1].set();
        kill(stage.pids[0].get());
        joining.join().expect("no panic").expect("ends");
    });
    assert_eq!(lost_by(&running.wait()), Some(libc::SIGKILL));
    assert_eq!(queued.wait().expect("a result"), 9);
    assert_eq!(panic_of(&failing.wait()), Some("from place 1"));
}

#[test]
fn a_pool_of_a_pool_that_ended_is_as_good_as_new() {
    let watchdog = Watchdog::new("a_pool_of_a_pool_that_ended_is_as_good_as_new");
    for round in 0..killing::rounds(20) {
        watchdog.step(format!("round {round}"));
        recovers(&pool(2), 2);
    }
}

/// `_TestPoolWorkerLifetime.test_worker_finalization_via_atexit_handler_of_multiprocessing`,
/// `ExecutorShutdownTest.test_interpreter_shutdown`
#[test]
fn a_pool_that_is_left_to_the_end_of_the_program_does_not_delay_it() {
    let _watchdog = common::watchdog();
    for what in ["static", "forgotten", "busy", "queued", "closed", "stubborn"] {
        let output = command(["pool", what]).output().expect("it runs");
        assert!(output.status.success(), "{what}: {}", told(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{what}");
        let said = String::from_utf8(output.stdout).expect("text");
        let pids: Vec<i32> =
            said.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
        assert_eq!(pids.len(), 2, "{what}: {said}");
        assert!(gone(&pids.into_iter().collect()), "{what}: workers are left");
    }
}

/// `ExecutorShutdownTest.test_hang_gh83386`
#[test]
fn who_closes_and_joins_has_everything_done() {
    let _watchdog = common::watchdog();
    assert_eq!(run(["pool", "apple"]), "apple\n");
}

#[test]
fn a_finalizer_may_use_a_pool() {
    let _watchdog = common::watchdog();
    assert_eq!(run(["pool", "finalizer"]), "49\n");
}

/// As in Python, where `close` comes after `imap` more often than not.
#[test]
fn a_map_that_has_begun_goes_on_when_the_pool_is_closed() {
    let _watchdog = Watchdog::new("a_map_that_has_begun_goes_on_when_the_pool_is_closed");
    let own = pool(2);
    let squares = own.imap(square, 0..2_000);
    own.close();
    assert!(is_closed(&own));
    assert!(squares.map(|squared| squared.expect("a result")).eq((0..2_000).map(square)));
    assert!(poll_for(LONG, || own.workers().is_empty()), "nothing more can come");
    own.join().expect("ends");

    // Who joins it waits for nobody who does not ask.
    let own = pool(2);
    let squares = own.imap(square, 0..2_000);
    own.join().expect("ends");
    let results: Vec<_> = squares.collect();
    let (last, rest) = results.split_last().expect("some");
    assert_eq!(*last, Err(TaskError::Closed));
    assert!(rest.iter().all(Result::is_ok) && rest.len() < 2_000, "{}", rest.len());

    // Workers that have done their number are replaced for it as well.
    let own = Pool::builder().workers(2).max_tasks_per_worker(5).build().expect("a pool");
    let stage = stage();
    std::thread::scope(|scope| {
        let items = (0..100_u64).inspect(|n| {
            if *n == 50 {
                stage.here[0].set();
                stage.cue[0].wait();
            }
        });
        let mapping = scope.spawn(|| {
            let options = MapOptions { chunk: Some(1), ..MapOptions::default() };
            own.map_with(square, items, options)
        });
        stage.here[0].wait();
        own.close();
        stage.cue[0].set();
        assert_eq!(mapping.join().expect("no panic").map(|all| all.len()), Ok(100));
    });
    own.join().expect("ends");
}
