//! Pools inside pools, pools of many threads, pools of many workers, and pools where they must not be used.
#![allow(missing_docs, unsafe_code, reason = "tests; one forks")]

mod common;
mod killing;
mod pooling;

use common::programs::run;
use killing::{Traces, Watchdog, descendants, kill, own_pid, poll_for};
use pooling::{LONG, Place, Stage, gone, held, lost_by, pids, pool, recovers, square, stage, stay};
use psync::{
    pool::{Task, TaskError},
    prelude::*,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
    thread,
};

/// Some of these tests look at all descendants of the program.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: StdMutex<()> = StdMutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sum of the squares below `count`, by a pool in this process, and one in each of its workers, so many levels down.
fn squares_below((depth, count): (u32, u64)) -> u64 {
    let pool = pool(2);
    if depth == 0 {
        return pool.map(square, 0..count).expect("all").into_iter().sum();
    }
    let parts = pool.map(squares_below, [(depth - 1, count), (depth - 1, count)]).expect("both");
    pool.join().expect("ends");
    assert_eq!(parts[0], parts[1]);
    parts[0]
}

#[test]
fn pools_are_used_three_deep() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("pools_are_used_three_deep"));
    let pool = pool(2);
    let sum = (0..20).map(square).sum();
    assert_eq!(pool.map(squares_below, [(1, 20), (1, 20)]).expect("both"), [sum, sum]);
    pool.join().expect("ends");
    Traces::now().check(0).expect("nothing is left");
}

/// Has a pool of its own whose workers stay.
fn stay_with_others((stage, place): Place) -> usize {
    let pool = pool(2);
    let others: Vec<_> = (1..3).map(|n| pool.submit(stay, (stage.clone(), place + n))).collect();
    stage.here[place + 1].wait();
    stage.here[place + 2].wait();
    stay((stage, place)) + others.len()
}

#[test]
fn whoever_ends_a_worker_ends_the_pool_inside() {
    let (_alone, _watchdog) =
        (alone(), Watchdog::new("whoever_ends_a_worker_ends_the_pool_inside"));
    for by_hand in [true, false] {
        let (pool, stage) = (pool(1), stage());
        let task = pool.submit(stay_with_others, (stage.clone(), 0)).expect("open");
        stage.here[0].wait();
        let inner: BTreeSet<i32> = (0..3).map(|place| stage.pids[place].get()).collect();
        assert!(inner.len() == 3 && inner.iter().all(|pid| pooling::is_alive(*pid)));
        if by_hand {
            kill(stage.pids[0].get());
            assert_eq!(lost_by(&task.wait()), Some(libc::SIGKILL));
        } else {
            task.kill();
            assert!(matches!(task.wait(), Err(TaskError::Killed)));
        }
        assert!(gone(&inner), "{inner:?}");
        recovers(&pool, 1);
    }
}

/// `TestStdinBadfiledescriptor.test_pool_in_process`
#[test]
fn a_process_has_a_pool_of_its_own() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("a_process_has_a_pool_of_its_own"));
    let squares = |count: u64| -> Vec<u64> {
        let pool = pool(4);
        let squares = pool.map(square, 0..count).expect("all");
        pool.close();
        pool.join().expect("ends");
        squares
    };
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let process = psync::spawn_with(Options::new().start_method(method), squares, 7);
        assert_eq!(process.expect("a start").join().expect("ends"), [0, 1, 4, 9, 16, 25, 36]);
    }
}

#[test]
fn threads_share_a_pool() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("threads_share_a_pool"));
    let pool = pool(3);
    thread::scope(|scope| {
        for from in (0..8).map(|thread| thread * 10_000) {
            let pool = &pool;
            scope.spawn(move || {
                for n in from..from + 100 {
                    assert_eq!(pool.run(square, n).expect("a result"), n * n);
                }
                let squares = pool.map(square, from..from + 1_000).expect("all");
                assert!(squares.into_iter().eq((from..from + 1_000).map(square)));
                let tasks: Vec<Task<u64>> =
                    (from..from + 100).map(|n| pool.submit(square, n).expect("open")).collect();
                for (n, task) in (from..).zip(tasks) {
                    assert_eq!(task.wait().expect("a result"), n * n);
                }
                let lazy = pool.imap(square, from..from + 1_000).map(|n| n.expect("a result"));
                assert!(lazy.eq((from..from + 1_000).map(square)));
            });
        }
    });
    recovers(&pool, 3);
    let counted = Arc::new(pool);
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let pool = Arc::clone(&counted);
            thread::spawn(move || pool.run(square, n).expect("a result"))
        })
        .collect();
    drop(counted);
    for (n, thread) in (0..).zip(threads) {
        assert_eq!(thread.join().expect("no panic"), n * n);
    }
}

#[test]
fn a_thread_may_end_a_pool_that_others_use() {
    let (_alone, watchdog) = (alone(), Watchdog::new("a_thread_may_end_a_pool_that_others_use"));
    for round in 0..killing::rounds(5) {
        watchdog.step(format!("round {round}"));
        let pool = pool(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut n = 0;
                    loop {
                        match pool.run(square, n) {
                            Ok(squared) => assert_eq!(squared, n * n),
                            Err(TaskError::Closed) => break,
                            Err(error) => panic!("{error}"),
                        }
                        n += 1;
                    }
                });
            }
            assert!(poll_for(LONG, || pool.stats().done > 100));
            if round % 2 == 0 { pool.close() } else { pool.terminate() }
        });
    }
}

/// `ProcessPoolExecutorTest.test_max_tasks_per_child_defaults_to_spawn_context`
#[test]
fn every_start_method_makes_workers() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("every_start_method_makes_workers"));
    for wanted in [StartMethod::ForkServer, StartMethod::Spawn] {
        let builder = Pool::builder().workers(2).start_method(wanted).max_tasks_per_worker(2);
        let pool = builder.build().expect("a pool");
        for _ in 0..5 {
            let named = pool.run(|()| format!("{:?}", psync::current().start_method()), ());
            assert_eq!(named.expect("a name"), format!("Some({wanted:?})"));
        }
        pids(&pool).into_iter().for_each(kill);
        recovers(&pool, 2);
    }
}

#[test]
fn a_program_with_threads_forks_no_workers() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("a_program_with_threads_forks_no_workers"));
    let error = Pool::builder().workers(2).start_method(StartMethod::Fork).build().expect_err("no");
    assert!(error.to_string().contains("`StartMethod::Fork`"), "{error}");
    Traces::now().check(0).expect("nothing is left");
}

#[test]
fn two_hundred_workers_work() {
    let (_alone, watchdog) = (alone(), Watchdog::new("two_hundred_workers_work"));
    let pool = pool(200);
    watchdog.step("all of them have a task");
    let gathering = Shared::new(Barrier::new(200)).expect("memory");
    let meet = |barrier: Shared<Barrier>| {
        barrier.wait().expect("whole");
        psync::current().pid()
    };
    let tasks: Vec<_> =
        (0..200).map(|_| pool.submit(meet, gathering.clone()).expect("open")).collect();
    let met: BTreeSet<i32> = tasks.into_iter().map(|task| task.wait().expect("a pid")).collect();
    assert_eq!(met, pids(&pool));
    watchdog.step("half of them are killed");
    met.iter().copied().take(100).for_each(kill);
    watchdog.step("a map");
    let squares = pool.map(square, 0..20_000).expect("none of them had begun");
    assert!(squares.into_iter().eq((0..20_000).map(square)));
    watchdog.step("back at its size");
    recovers(&pool, 200);
    assert!(poll_for(LONG, || pool.stats().lost_workers == 100), "{:?}", pool.stats());
    watchdog.step("ends");
    let last = pids(&pool);
    pool.join().expect("ends");
    assert!(gone(&last));
}

#[test]
fn a_forked_copy_of_its_owner_has_no_pool() {
    let _watchdog = common::watchdog();
    assert_eq!(run(["pool", "forked"]), "all went well\n");
}

/// `ThreadPoolExecutorTest.test_process_fork_from_a_threadpool`
#[test]
fn copies_that_were_forked_in_a_callback_or_worker_end() {
    let _watchdog = common::watchdog();
    assert_eq!(run(["pool", "forks-inside"]), "all went well\n");
}

/// `ProcessPoolExecutorTest.test_python_finalization_error`
#[test]
fn where_no_thread_can_be_made_a_pool_is_refused() {
    let _watchdog = common::watchdog();
    let said = run(["pool", "no-threads"]);
    let threads = |line: &str| line.starts_with("Resource temporarily unavailable");
    assert!(said.lines().any(threads), "{said}");
}

#[test]
fn pools_come_and_go_side_by_side() {
    let (_alone, watchdog) = (alone(), Watchdog::new("pools_come_and_go_side_by_side"));
    drop(pool(1));
    let traces = Traces::now();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for n in 0..killing::rounds(10) as u64 {
                    let pool = pool(2);
                    assert_eq!(pool.map(square, n..n + 3).expect("all").len(), 3);
                    if n % 2 == 0 {
                        pool.join().expect("ends");
                    }
                }
            });
        }
    });
    watchdog.step("nothing is left");
    traces.check(0).expect("nothing is left");
    let own: Vec<_> = descendants(own_pid()).into_iter().filter(|seen| seen.zombie).collect();
    assert!(own.is_empty(), "{own:?}");
}

#[test]
fn the_supervisor_may_die_under_a_pool() {
    let (_alone, _watchdog) = (alone(), Watchdog::new("the_supervisor_may_die_under_a_pool"));
    let (pool, stage): (Pool, Shared<Stage>) = (pool(2), stage());
    let running = held(&pool, &stage, 0);
    kill(psync::__private::supervisor_pid().expect("one"));
    stage.cue[0].set();
    assert_eq!(running.wait().expect("a result"), 0);
    recovers(&pool, 2);
    pids(&pool).into_iter().for_each(kill);
    recovers(&pool, 2);
}
