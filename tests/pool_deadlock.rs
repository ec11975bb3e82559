//! Mishaps that have made other pools wait for ever: here every task ends, and so does the pool.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "workers exit")]

mod crashing;
mod killing;
mod pooling;

use crashing::{Kind, Orders, follow};
use killing::{Watchdog, kill, own_pid, poll_for};
use pooling::{
    LONG, Stage, exited_with, held, lost_by, panic_of, pids, pool, recovers, square, stage,
};
use psync::{
    pool::{MapOptions, ReturnWhen, SubmitError, Task, TaskError, as_completed, wait_tasks},
    prelude::*,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    thread,
};

/// An argument that cannot be encoded.
#[derive(Debug, Deserialize)]
struct Secret(u32);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("secrets stay here"))
    }
}

fn open(Secret(number): Secret) -> u32 {
    number
}

/// `ExecutorDeadlockTest.test_error_at_task_pickle`, `ExecutorDeadlockTest.test_shutdown_deadlock_pickle`
#[test]
fn an_argument_that_cannot_be_encoded_is_refused() {
    let _watchdog = Watchdog::new("an_argument_that_cannot_be_encoded_is_refused");
    let pool = pool(1);
    for _ in 0..3 {
        let refused = pool.submit(open, Secret(1));
        assert!(
            matches!(&refused, Err(SubmitError::Encode { reason }) if reason.contains("secrets")),
            "{refused:?}"
        );
        assert!(refused.expect_err("refused").to_string().contains("secrets"));
        assert!(matches!(pool.run(open, Secret(1)), Err(TaskError::Encode)));
    }
    recovers(&pool, 1);
    assert!(pool.submit(open, Secret(1)).is_err());
    pool.close();
    pool.join().expect("ends");
}

/// `ExecutorDeadlockTest.test_exit_at_task_unpickle`, `ExecutorDeadlockTest.test_error_at_task_unpickle`
#[test]
fn an_argument_that_cannot_be_decoded_is_the_end_of_its_task_alone() {
    let _watchdog =
        Watchdog::new("an_argument_that_cannot_be_decoded_is_the_end_of_its_task_alone");
    let pool = pool(2);
    let when_decoded = |kind| Orders { when_decoded: Some(kind), ..Orders::default() };
    let exits = pool.run(follow, when_decoded(Kind::Exit1));
    assert_eq!(exited_with(&exits), Some(1), "{exits:?}");
    let before = pool.stats().started_workers;
    let fails = pool.run(follow, when_decoded(Kind::DecodeArgument));
    assert!(matches!(fails, Err(TaskError::Decode)), "{fails:?}");
    recovers(&pool, 2);
    assert_eq!(pool.stats().started_workers, before, "a refusal costs no worker");
}

/// `ExecutorDeadlockTest.test_crash_during_func_exec_on_worker`, `ExecutorDeadlockTest.test_exit_during_func_exec_on_worker`
#[test]
fn a_crash_in_a_task_is_told() {
    let _watchdog = Watchdog::new("a_crash_in_a_task_is_told");
    let pool = pool(2);
    let in_task = |kind| Orders { in_task: Some(kind), ..Orders::default() };
    let crashes = pool.run(follow, in_task(Kind::Segfault));
    assert_eq!(lost_by(&crashes), Some(libc::SIGSEGV), "{crashes:?}");
    let exits = pool.run(follow, in_task(Kind::Exit1));
    assert_eq!(exited_with(&exits), Some(1), "{exits:?}");
    recovers(&pool, 2);
}

/// `ExecutorDeadlockTest.test_crash_during_result_pickle_on_worker`, `ExecutorDeadlockTest.test_exit_during_result_pickle_on_worker`
#[test]
fn a_crash_while_a_result_is_encoded_is_told() {
    let _watchdog = Watchdog::new("a_crash_while_a_result_is_encoded_is_told");
    let pool = pool(2);
    let when_encoded = |kind| Orders { when_encoded: Some(kind), ..Orders::default() };
    let crashes = pool.run(follow, when_encoded(Kind::Segfault));
    assert_eq!(lost_by(&crashes), Some(libc::SIGSEGV), "{crashes:?}");
    let exits = pool.run(follow, when_encoded(Kind::Exit0));
    assert_eq!(exited_with(&exits), Some(0), "{exits:?}");
    recovers(&pool, 2);
}

/// A result that panics where it is decoded, in the process that wants it.
#[derive(Debug, Serialize)]
struct Trap(i32);

impl<'de> Deserialize<'de> for Trap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pid = i32::deserialize(deserializer)?;
        panic!("the trap of {pid} springs");
    }
}

/// `ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler`,
/// `ExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler`
#[test]
fn a_result_that_cannot_be_decoded_is_the_end_of_its_task_alone() {
    let _watchdog = Watchdog::new("a_result_that_cannot_be_decoded_is_the_end_of_its_task_alone");
    let pool = pool(2);
    let workers = pids(&pool);
    let when_encoded = Orders { when_encoded: Some(Kind::DecodeResult), ..Orders::default() };
    let fails = pool.run(follow, when_encoded.clone());
    assert!(matches!(fails, Err(TaskError::Decode)), "{fails:?}");
    for _ in 0..3 {
        let task = pool.submit(|()| Trap(own_pid()), ()).expect("open");
        let innocent = pool.submit(square, 4).expect("open");
        let result = task.wait();
        assert!(matches!(result, Err(TaskError::Decode)), "{result:?}");
        assert_eq!(innocent.wait().expect("a result"), 16);
    }
    let mixed: Vec<_> = pool
        .imap(follow, [Orders::default(), when_encoded, Orders::default()])
        .map(|result| result.map(drop))
        .collect();
    assert!(matches!(mixed[..], [Ok(()), Err(TaskError::Decode), Ok(())]), "{mixed:?}");
    recovers(&pool, 2);
    assert_eq!(pids(&pool), workers);
}

/// `ExecutorDeadlockTest.test_shutdown_deadlock`
#[test]
fn a_crash_after_the_end_has_begun_does_not_delay_it() {
    let _watchdog = Watchdog::new("a_crash_after_the_end_has_begun_does_not_delay_it");
    let (pool, stage) = (pool(2), stage());
    let running = held(&pool, &stage, 0);
    thread::scope(|scope| {
        let joining = scope.spawn(|| pool.join());
        thread::park_timeout(pooling::SOON);
        assert!(!joining.is_finished());
        kill(stage.pids[0].get());
        joining.join().expect("no panic").expect("ends");
    });
    assert_eq!(lost_by(&running.wait()), Some(libc::SIGKILL));
}

/// `ExecutorDeadlockTest.test_crash_big_data`
#[test]
fn crashes_behind_large_arguments_block_nobody() {
    let _watchdog = Watchdog::new("crashes_behind_large_arguments_block_nobody");
    let pool = pool(2);
    let crash = |data: Vec<u8>| -> usize {
        assert_eq!(data.len(), 1 << 20);
        std::process::abort();
    };
    let tasks: Vec<_> =
        (0..10).map(|_| pool.submit(crash, vec![7; 1 << 20]).expect("open")).collect();
    for task in tasks {
        let result = task.wait();
        assert_eq!(lost_by(&result), Some(libc::SIGABRT), "{result:?}");
    }
    let results: Vec<_> = pool.imap(crash, (0..10).map(|_| vec![7; 1 << 20])).collect();
    assert_eq!(results.len(), 10);
    assert!(results.iter().all(|result| lost_by(result) == Some(libc::SIGABRT)), "{results:?}");
    recovers(&pool, 2);
    let echo = |data: Vec<u8>| data;
    let large: Vec<_> = (0..30).map(|_| pool.submit(echo, vec![7; 1 << 20])).collect();
    let all_back = large.into_iter().map(|task| task.expect("open").wait().expect("a result"));
    assert!(all_back.map(|data| data.len()).eq([1 << 20; 30]));
}

/// More than are with the workers, or on their way to them, at any time.
#[test]
fn any_number_of_crashes_one_after_the_other_leaves_nobody_behind() {
    let watchdog = Watchdog::new("any_number_of_crashes_leaves_nobody_behind");
    let crash = |_: u32| -> u32 { std::process::abort() };
    for (workers, count) in [(1, 300), (3, 600)] {
        let pool = pool(workers);
        let submit = |n| pool.submit(crash, n).expect("open");
        let tasks: Vec<Task<u32>> = (0..count).map(submit).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            watchdog.step(format!("{workers} workers, task {n}"));
            assert_eq!(lost_by(&task.wait()), Some(libc::SIGABRT));
        }
        recovers(&pool, workers);
    }
    watchdog.step("large arguments");
    let pool = pool(1);
    let crash = |data: Vec<u8>| -> usize { std::process::exit(i32::from(data[0])) };
    let submit = |_| pool.submit(crash, vec![7; 40 << 20]).expect("open");
    let tasks: Vec<Task<usize>> = (0..6).map(submit).collect();
    for task in tasks {
        assert_eq!(exited_with(&task.wait()), Some(7));
    }
    recovers(&pool, 1);
}

/// A worker that dies, and a worker that is stopped, keep nobody else from getting on.
#[test]
fn a_worker_that_stands_still_stops_nobody_else() {
    let _watchdog = Watchdog::new("a_worker_that_stands_still_stops_nobody_else");
    let (pool, stage) = (pool(2), stage());
    let running = held(&pool, &stage, 0);
    let pid = stage.pids[0].get();
    killing::signal(pid, libc::SIGSTOP);
    stage.cue[0].set();
    for n in 0..100 {
        assert_eq!(pool.run(square, n).expect("a result"), n * n);
    }
    assert!(!running.is_done());
    killing::signal(pid, libc::SIGCONT);
    assert_eq!(running.wait().expect("a result"), 0);
    recovers(&pool, 2);
}

/// Who submits from many threads, and from callbacks, gets everything back.
#[test]
fn a_callback_may_submit() {
    let _watchdog = Watchdog::new("a_callback_may_submit");
    let (pool, results) = (std::sync::Arc::new(pool(2)), std::sync::mpsc::channel());
    let (sender, receiver) = results;
    for n in 0..50_u64 {
        let (again, sender) = (std::sync::Arc::clone(&pool), sender.clone());
        pool.submit(square, n).expect("open").on_done(move |result| {
            let squared = *result.as_ref().expect("a result");
            let next = again.submit(square, squared).expect("open");
            next.on_done(move |result| {
                sender.send(*result.as_ref().expect("a result")).expect("received");
            });
        });
    }
    drop(sender);
    let mut all: Vec<u64> = receiver.iter().collect();
    all.sort_unstable();
    assert_eq!(all, (0..50).map(|n: u64| n.pow(4)).collect::<Vec<_>>());
}

fn panics_in_drop((stage, place): (Shared<Stage>, usize)) -> usize {
    struct Late(usize);
    impl Drop for Late {
        fn drop(&mut self) {
            panic!("dropped at {}", self.0);
        }
    }
    let _late = Late(place);
    stage.here[place].set();
    place
}

#[test]
fn every_way_out_of_a_task_ends_it() {
    let _watchdog = Watchdog::new("every_way_out_of_a_task_ends_it");
    let (pool, stage) = (pool(1), stage());
    assert_eq!(panic_of(&pool.run(panics_in_drop, (stage, 3))), Some("dropped at 3"));
    let resumes = |()| -> u32 { std::panic::resume_unwind(Box::new(7_u8)) };
    assert!(matches!(pool.run(resumes, ()), Err(TaskError::Panicked { .. })));
    let leaves_a_thread = |()| {
        thread::spawn(|| panic!("in another thread"));
        1
    };
    assert_eq!(pool.run(leaves_a_thread, ()).expect("a result"), 1);
    let fails = |n: u32| u8::try_from(n).map_err(|error| error.to_string());
    assert!(pool.run(fails, 300).expect("an error is a result").is_err());
    let exits_in_a_thread = |()| {
        let _ = thread::spawn(|| std::process::exit(7)).join();
    };
    assert_eq!(exited_with(&pool.run(exits_in_a_thread, ())), Some(7));
    let tasks: Vec<Task<u64>> = (0..10).map(|n| pool.submit(square, n).expect("open")).collect();
    assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
    recovers(&pool, 1);
}

/// A callback may wait for tasks that have callbacks as well, which run meanwhile.
#[test]
fn a_callback_may_wait_for_callbacks() {
    let _watchdog = Watchdog::new("a_callback_may_wait_for_callbacks");
    let pool = Arc::new(pool(2));
    let (told, tells) = std::sync::mpsc::channel();
    let task = pool.submit(square, 2).expect("an open pool");
    let again = Arc::clone(&pool);
    task.on_done(move |_| {
        let with_callback = |n: u64| {
            let task = again.submit(square, n).expect("an open pool");
            let told = told.clone();
            task.on_done(move |result| told.send(result.clone()).expect("somebody listens"));
            task
        };
        assert_eq!(with_callback(3).wait(), Ok(9));
        assert_eq!(as_completed((0..5).map(with_callback).collect()).count(), 5);
        let tasks = (0..5).map(with_callback).collect();
        assert_eq!(wait_tasks(tasks, ReturnWhen::All, None).0.len(), 5);
        told.send(Ok(0)).expect("somebody listens");
    });
    assert_eq!(tells.iter().count(), 12);
    recovers(&pool, 2);
}

/// A result that has work of its own done by the pool when it is decoded.
#[derive(Debug, PartialEq)]
struct Grown(u64);

static GARDEN: OnceLock<Pool> = OnceLock::new();

impl Serialize for Grown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Grown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = u64::deserialize(deserializer)?;
        let garden = GARDEN.get_or_init(|| pool(1));
        if n.is_multiple_of(10) {
            let crash: Result<(), TaskError> = garden.run(|()| std::process::abort(), ());
            assert!(matches!(crash, Err(TaskError::WorkerLost { .. })), "{crash:?}");
        }
        assert_eq!(garden.map(square, 0..20).map(|all| all.len()), Ok(20));
        garden.run(square, n).map(Self).map_err(serde::de::Error::custom)
    }
}

#[test]
fn decoding_a_result_may_wait_for_its_pool() {
    let _watchdog = Watchdog::new("decoding_a_result_may_wait_for_its_pool");
    let garden = GARDEN.get_or_init(|| pool(1));
    let grow = |n: u64| Grown(n);
    let all: Vec<Grown> = (0..50).map(square).map(Grown).collect();
    assert_eq!(garden.run(grow, 7), Ok(Grown(49)));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(garden.map(grow, 0..50).as_ref(), Ok(&all)));
        }
    });
    assert!(garden.imap(grow, 0..50).eq((0..50).map(square).map(|n| Ok(Grown(n)))));
    // The pool's own thread decodes them.
    let tasks: Vec<_> = (0..10).map(|n| garden.submit(grow, n).expect("an open pool")).collect();
    assert!(poll_for(LONG, || tasks.iter().all(Task::is_done)));
    for (task, grown) in tasks.into_iter().zip(all) {
        assert_eq!(task.wait(), Ok(grown));
    }
    recovers(garden, 1);
}

/// An argument that panics as it is encoded.
struct Thorny(u64);

impl Serialize for Thorny {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 5, "thorns");
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Thorny {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

#[test]
fn an_argument_that_panics_as_it_is_encoded_ends_the_map() {
    let _watchdog = Watchdog::new("an_argument_that_panics_as_it_is_encoded_ends_the_map");
    let pool = pool(2);
    let touch = |Thorny(n): Thorny| n;
    let panics = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for chunk in [None, Some(1), Some(4), Some(100)] {
        let options = MapOptions { chunk, ..MapOptions::default() };
        let map = || drop(pool.map_with(touch, (0..20).map(Thorny), options.clone()));
        assert!(panics(&map), "it is the caller's");
        let mut lazy = pool.imap_with(touch, (0..20).map(Thorny), options.clone());
        for n in 0..5 {
            assert_eq!(lazy.next(), Some(Ok(n)), "what came before it");
        }
        assert!(catch_unwind(AssertUnwindSafe(|| lazy.next())).is_err());
        assert_eq!(lazy.next(), None);
    }
    assert!(panics(&|| drop(pool.submit(touch, Thorny(5)))));
    recovers(&pool, 2);
}
