//! Pools: one task at a time, what a worker is, and what a pool is made of.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Watchdog, poll_for, signal};
use pooling::{
    LONG, Place, Stage, gone, held, hold, lost_by, own_pid, pids, pool, recovers, square, stage,
};
use psync::{
    Finalizer,
    pool::{SubmitError, TaskError, WorkerState},
    prelude::*,
};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

/// `_TestPool.test_apply`, `ExecutorTest.test_submit`
#[test]
fn a_task_runs_in_a_worker_and_its_result_comes_back() {
    let _watchdog = Watchdog::new("a_task_runs_in_a_worker_and_its_result_comes_back");
    let pool = pool(2);
    assert_eq!(pool.run(square, 5).expect("a result"), 25);
    assert_eq!(pool.run(|(base, power)| u64::pow(base, power), (2, 8)).expect("a result"), 256);
    let task = pool.submit(|(base, power)| u64::pow(base, power), (2, 8)).expect("open");
    assert_eq!(task.wait().expect("a result"), 256);
    let pid = pool.run(own_pid, ()).expect("a pid");
    assert!(pid != killing::own_pid() && pids(&pool).contains(&pid));
    let words = pool.run(|words: Vec<String>| words.join(" "), vec!["a".into(), "b".into()]);
    assert_eq!(words.expect("a result"), "a b");
}

/// `_TestPoolWorkerLifetime.test_pool_maxtasksperchild_invalid`
#[test]
fn none_is_no_number_of_workers_or_tasks() {
    let _watchdog = Watchdog::new("none_is_no_number_of_workers_or_tasks");
    let invalid = |error: psync::Error| {
        let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        assert_eq!(kind, Some(std::io::ErrorKind::InvalidInput), "{error}");
    };
    invalid(Pool::new(0).expect_err("no worker"));
    invalid(Pool::builder().workers(0).build().expect_err("no worker"));
    invalid(Pool::builder().workers(1).max_tasks_per_worker(0).build().expect_err("no task"));
    let pool = Pool::builder().workers(1).max_tasks_per_worker(1).build().expect("a pool");
    assert_eq!(pool.run(square, 3).expect("a result"), 9);
}

#[test]
fn a_builder_alone_has_a_worker_for_each_processor() {
    let _watchdog = Watchdog::new("a_builder_alone_has_a_worker_for_each_processor");
    let pool = Pool::builder().build().expect("a pool");
    assert_eq!(pool.workers().len(), psync::cpu_count());
    assert_eq!(pool.run(square, 3).expect("a result"), 9);
}

/// `ThreadPoolShutdownTest.test_thread_names_default`
#[test]
fn workers_are_numbered_under_the_name_of_their_pool() {
    let _watchdog = Watchdog::new("workers_are_numbered_under_the_name_of_their_pool");
    let pool = Pool::builder().workers(3).name("kitchen").build().expect("a pool");
    let names: BTreeSet<String> = pool.workers().into_iter().map(|worker| worker.name).collect();
    assert!(names.iter().eq(["kitchen-1", "kitchen-2", "kitchen-3"]), "{names:?}");
    let name = pool.run(|()| psync::current().name().to_owned(), ()).expect("a name");
    assert!(names.contains(&name), "{name}");
    let unnamed = [Pool::new(1), Pool::new(1)].map(|pool| pool.expect("a pool"));
    let names = unnamed.each_ref().map(|pool| pool.workers()[0].name.clone());
    assert!(
        names.iter().all(|name| name.starts_with("Pool-") && name.ends_with("-1")),
        "{names:?}"
    );
    assert_ne!(names[0], names[1]);
}

#[test]
fn its_workers_and_numbers_can_be_looked_at() {
    let _watchdog = Watchdog::new("its_workers_and_numbers_can_be_looked_at");
    let (pool, stage) = (pool(2), stage());
    let tasks: Vec<_> = (0..2).map(|place| held(&pool, &stage, place)).collect();
    let queued = pool.submit(hold, (stage.clone(), 2)).expect("open");
    let busy = || {
        let all = pool.workers();
        all.iter().all(|one| one.state == WorkerState::Busy && one.task_age.is_some())
    };
    assert!(poll_for(LONG, busy), "{:?}", pool.workers());
    let stats = pool.stats();
    assert_eq!((stats.running, stats.queued, stats.done, stats.failed), (2, 1, 0, 0), "{stats:?}");
    assert_eq!((stats.started_workers, stats.lost_workers, stats.retried), (2, 0, 0), "{stats:?}");
    let running: BTreeSet<i32> = [0, 1].map(|place| stage.pids[place].get()).into();
    assert_eq!(pids(&pool), running);
    let young = pool.workers().iter().filter_map(|one| one.task_age).max();
    assert!(young.is_some_and(|age| age < LONG));
    stage.cue.iter().for_each(Event::set);
    for (place, task) in tasks.into_iter().chain([queued]).enumerate() {
        assert_eq!(task.wait().expect("a result"), place);
    }
    pool.run(|fine: bool| assert!(fine), false).expect_err("a panic");
    recovers(&pool, 2);
    let stats = pool.stats();
    assert_eq!((stats.running, stats.queued, stats.failed), (0, 0, 1), "{stats:?}");
    let done: u64 = stats.workers.iter().map(|one| one.tasks_done).sum();
    assert_eq!((stats.done + stats.failed, done), (104, 104), "{stats:?}");
    assert!(stats.workers.iter().all(|one| one.task_age.is_none()), "{stats:?}");
}

/// `_TestPool.test_traceback`, `ProcessPoolExecutorTest.test_traceback`, `ExecutorDeadlockTest.test_error_during_func_exec_on_worker`
#[test]
fn a_panic_comes_back_with_its_message_and_place() {
    let _watchdog = Watchdog::new("a_panic_comes_back_with_its_message_and_place");
    let pool = pool(1);
    let before = pids(&pool);
    let line = line!() + 1;
    let error = pool.run(|n: u32| -> u32 { panic!("no {n}") }, 123).expect_err("a panic");
    let TaskError::Panicked { message, location, pid, .. } = &error else { panic!("{error:?}") };
    assert_eq!(message, "no 123");
    let here = format!("{}:{line}:", file!());
    assert!(location.as_ref().is_some_and(|place| place.starts_with(&here)), "{location:?}");
    assert!(before.contains(pid));
    let said = error.to_string();
    assert!(said.contains("no 123") && said.contains(&here), "{said}");
    assert_eq!(pids(&pool), before, "a panic costs no worker");
    recovers(&pool, 1);
}

#[derive(Debug, Deserialize)]
struct Secret(#[allow(dead_code, reason = "it is never encoded")] u32);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("secrets stay here"))
    }
}

/// `_TestPoolWorkerErrors.test_unpickleable_result`
#[test]
fn a_result_that_cannot_be_encoded_costs_no_worker() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let _watchdog = Watchdog::new("a_result_that_cannot_be_encoded_costs_no_worker");
    let pool = pool(2);
    let before = pids(&pool);
    for n in 0..20 {
        let task = pool.submit(Secret, n).expect("open");
        task.on_done(|result| {
            assert!(matches!(result, Err(TaskError::Encode)), "{result:?}");
            TOLD.fetch_add(1, SeqCst);
        });
        assert!(matches!(task.wait(), Err(TaskError::Encode)));
        assert_eq!(TOLD.load(SeqCst), n as usize + 1);
    }
    recovers(&pool, 2);
    assert_eq!(pids(&pool), before);
}

fn count((stage, by): (Shared<Stage>, u32)) {
    stage.count.fetch_add(by, SeqCst);
}

/// `TestInitializers.test_pool_initializer`
#[test]
fn the_initializer_runs_once_in_each_worker() {
    let _watchdog = Watchdog::new("the_initializer_runs_once_in_each_worker");
    for workers in [1, 3] {
        let stage = stage();
        let builder = Pool::builder().workers(workers).initializer(count, (stage.clone(), 7));
        let pool = builder.build().expect("a pool");
        pool.close();
        pool.join().expect("ends");
        assert_eq!(stage.count.load(SeqCst), 7 * u32::try_from(workers).expect("few"));
    }
}

static PREPARED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn what_the_initializer_makes_is_there_for_every_task_also_in_replacements() {
    let _watchdog = Watchdog::new("what_the_initializer_makes_is_there_for_every_task");
    let prepare = |with: usize| PREPARED.store(with, SeqCst);
    let builder = Pool::builder().workers(2).initializer(prepare, 5).max_tasks_per_worker(3);
    let pool = builder.build().expect("a pool");
    let look = |n: usize| PREPARED.load(SeqCst) * n;
    assert_eq!(pool.map(look, 0..20).expect("all"), (0..20).map(|n| n * 5).collect::<Vec<_>>());
    assert_eq!(PREPARED.load(SeqCst), 0, "in the workers alone");
}

/// `ProcessPoolExecutorTest.test_max_tasks_per_child`
#[test]
fn a_worker_is_replaced_after_its_number_of_tasks() {
    let _watchdog = Watchdog::new("a_worker_is_replaced_after_its_number_of_tasks");
    let pool = Pool::builder().workers(1).max_tasks_per_worker(3).build().expect("a pool");
    let pids: Vec<i32> = (0..9)
        .map(|_| {
            let pid = pool.run(own_pid, ()).expect("a pid");
            // None for a moment, after one has done its number.
            assert!(pool.workers().len() <= 1, "there is never more than one");
            pid
        })
        .collect();
    for three in pids.chunks(3) {
        assert!(three.iter().all(|pid| *pid == three[0]), "{pids:?}");
    }
    assert_eq!(BTreeSet::from_iter(&pids).len(), 3, "{pids:?}");
    assert_eq!(pool.stats().lost_workers, 0, "nobody was lost");
}

/// `ProcessPoolExecutorTest.test_max_tasks_per_child_pending_tasks_gh115634`
#[test]
fn queued_tasks_outlive_the_workers_that_they_waited_for() {
    let watchdog = Watchdog::new("queued_tasks_outlive_the_workers_that_they_waited_for");
    for (workers, limit, tasks) in [(1, 2, 6), (2, 2, 8), (3, 1, 100), (2, 7, 1_000)] {
        watchdog.step(format!("{workers} workers, {limit} tasks each, {tasks} tasks"));
        let builder = Pool::builder().workers(workers).max_tasks_per_worker(limit);
        let pool = builder.build().expect("a pool");
        let all: Vec<_> = (0..tasks).map(|n| pool.submit(square, n).expect("open")).collect();
        for (n, task) in (0..).zip(all) {
            assert_eq!(task.wait().expect("a result"), n * n);
        }
        recovers(&pool, workers);
    }
}

/// `_TestPoolWorkerLifetime.test_pool_worker_lifetime_early_close`, `ProcessPoolExecutorTest.test_max_tasks_early_shutdown`
#[test]
fn what_was_submitted_before_the_end_is_done_by_new_workers() {
    let _watchdog = Watchdog::new("what_was_submitted_before_the_end_is_done_by_new_workers");
    let stage = stage();
    let pool = Pool::builder().workers(3).max_tasks_per_worker(1).build().expect("a pool");
    let submit = |place| pool.submit(hold, (stage.clone(), place)).expect("open");
    let tasks: Vec<_> = (0..6).map(submit).collect();
    pool.close();
    stage.cue.iter().for_each(Event::set);
    pool.join().expect("ends");
    for (place, task) in tasks.into_iter().enumerate() {
        assert!(task.is_done());
        assert_eq!(task.wait().expect("a result"), place);
    }
    let pids: BTreeSet<i32> = (0..6).map(|place| stage.pids[place].get()).collect();
    assert_eq!(pids.len(), 6, "each had a worker of its own");
}

/// `ProcessPoolExecutorTest.test_saturation`, `ProcessPoolExecutorTest.test_idle_process_reuse_one`,
/// `ProcessPoolExecutorTest.test_idle_process_reuse_multiple`
#[test]
fn no_task_makes_a_worker_more() {
    let _watchdog = Watchdog::new("no_task_makes_a_worker_more");
    let (pool, stage) = (pool(3), stage());
    let submit = |_| pool.submit(hold, (stage.clone(), 0)).expect("open");
    let tasks: Vec<_> = (0..15 * 3).map(submit).collect();
    stage.here[0].wait();
    assert!(poll_for(LONG, || pool.stats().running == 3), "{:?}", pool.stats());
    assert_eq!((pool.workers().len(), pool.stats().started_workers), (3, 3));
    stage.cue[0].set();
    for task in tasks {
        assert_eq!(task.wait().expect("a result"), 0);
    }
    for _ in 0..3 {
        assert!(pids(&pool).contains(&pool.run(own_pid, ()).expect("a pid")));
    }
    assert_eq!(pool.stats().started_workers, 3);
}

/// `ProcessPoolExecutorTest.test_killed_child`
#[test]
fn the_death_of_one_worker_is_that_of_one_task() {
    let _watchdog = Watchdog::new("the_death_of_one_worker_is_that_of_one_task");
    let (pool, stage) = (pool(2), stage());
    let (lost, kept) = (held(&pool, &stage, 0), held(&pool, &stage, 1));
    let queued: Vec<_> = (0..10).map(|n| pool.submit(square, n).expect("open")).collect();
    let pid = stage.pids[0].get();
    signal(pid, libc::SIGTERM);
    let result = lost.wait();
    assert_eq!(lost_by(&result), Some(libc::SIGTERM), "{result:?}");
    assert!(matches!(result, Err(TaskError::WorkerLost { pid: told, .. }) if told == pid));
    stage.cue[1].set();
    assert_eq!(kept.wait().expect("a result"), 1);
    for (n, task) in (0..).zip(queued) {
        assert_eq!(task.wait().expect("a result"), n * n);
    }
    recovers(&pool, 2);
    let stats = pool.stats();
    assert_eq!((stats.lost_workers, stats.started_workers), (1, 3), "{stats:?}");
}

/// `ProcessPoolExecutorTest.test_broken_process_pool_traceback`
#[test]
fn every_task_has_an_error_of_its_own() {
    let _watchdog = Watchdog::new("every_task_has_an_error_of_its_own");
    let (pool, stage) = (pool(3), stage());
    let tasks: Vec<_> = (0..3).map(|place| held(&pool, &stage, place)).collect();
    let mut signals = [libc::SIGKILL, libc::SIGTERM, libc::SIGABRT].into_iter();
    for (place, task) in tasks.into_iter().enumerate() {
        let (pid, number) = (stage.pids[place].get(), signals.next().expect("three"));
        signal(pid, number);
        let error = task.wait().expect_err("killed");
        let copy = error.clone();
        assert_eq!(copy.to_string(), error.to_string());
        let TaskError::WorkerLost { pid: told, cause } = copy else { panic!("{error:?}") };
        assert_eq!((told, cause.signal()), (pid, Some(number)));
        let said = error.to_string();
        assert!(said.contains(&pid.to_string()) && said.contains(&cause.to_string()), "{said}");
    }
    recovers(&pool, 3);
}

/// How many of these there are in this process.
static LIVING: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize)]
struct Living(u64);

impl Living {
    fn new(n: u64) -> Self {
        LIVING.fetch_add(1, SeqCst);
        Self(n)
    }
}

impl<'de> Deserialize<'de> for Living {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::new)
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, SeqCst);
    }
}

/// `_TestPool.test_release_task_refs`, `ExecutorTest.test_no_stale_references`, `ExecutorTest.test_free_reference`,
/// `ProcessPoolExecutorTest.test_ressources_gced_in_workers`
#[test]
fn nothing_is_kept_of_what_a_task_was_given_and_gave() {
    let _watchdog = Watchdog::new("nothing_is_kept_of_what_a_task_was_given_and_gave");
    let pool = pool(1);
    let identity = |living: Living| living;
    let back = pool.map(identity, (0..10).map(Living::new)).expect("all");
    assert!(back.iter().map(|living| living.0).eq(0..10));
    assert_eq!(LIVING.load(SeqCst), 10, "the results alone");
    drop(back);
    assert_eq!(LIVING.load(SeqCst), 0);
    let mut yielded = pool.imap(identity, (0..10).map(Living::new));
    drop(yielded.next().expect("ten").expect("a result"));
    drop(yielded);
    // What was under way comes in, and nobody has asked for it.
    assert!(poll_for(LONG, || LIVING.load(SeqCst) == 0), "{} are kept", LIVING.load(SeqCst));
    let discarded = pool.submit(identity, Living::new(1)).expect("open");
    drop(discarded);
    let in_worker = pool.run(|()| LIVING.load(SeqCst), ()).expect("a number");
    assert_eq!((in_worker, LIVING.load(SeqCst)), (0, 0));
}

/// `_TestPool.test_context`, `_TestPool.test_resource_warning`, `ProcessPoolShutdownTest.test_context_manager_shutdown`
#[test]
fn the_end_of_a_pool_is_that_of_its_workers() {
    let _watchdog = Watchdog::new("the_end_of_a_pool_is_that_of_its_workers");
    let (workers, unfinished) = {
        let (pool, stage) = (pool(5), stage());
        let absolute = pool.map(i64::abs, -5..5).expect("all");
        assert_eq!(absolute, [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
        (pids(&pool), held(&pool, &stage, 0))
    };
    assert_eq!(workers.len(), 5);
    assert!(workers.iter().all(|pid| killing::look_at(*pid).is_none()), "left when it was dropped");
    assert!(matches!(unfinished.wait(), Err(TaskError::Closed)));
    let pool = pool(2);
    pool.terminate();
    let refused = pool.submit(square, 1);
    assert!(matches!(refused, Err(SubmitError::Closed)), "{refused:?}");
    assert!(matches!(pool.run(square, 1), Err(TaskError::Closed)));
    assert!(matches!(pool.map(square, 0..3), Err(TaskError::Closed)));
}

#[test]
fn exit_hooks_of_workers_run_at_their_end() {
    let _watchdog = Watchdog::new("exit_hooks_of_workers_run_at_their_end");
    let stage = stage();
    let pool = pool(2);
    let register = |(stage, place): Place| {
        Finalizer::new(Some(1), move || stage.here[place].set()).leave();
    };
    pool.run(register, (stage.clone(), 3)).expect("registered");
    assert!(!stage.here[3].is_set());
    pool.join().expect("ends");
    assert!(stage.here[3].is_set());
}

#[test]
fn handles_go_there_and_back_at_any_time() {
    let _watchdog = Watchdog::new("handles_go_there_and_back_at_any_time");
    let pool = pool(2);
    let numbers = Shared::from_slice(&vec![1_u64; 100_000]).expect("memory");
    let sum = |(numbers, from, to): (Shared<[u64]>, usize, usize)| -> u64 {
        numbers[from..to].iter().sum()
    };
    let parts = (0..10).map(|n| (numbers.clone(), n * 10_000, (n + 1) * 10_000));
    assert_eq!(pool.map(sum, parts).expect("all"), [10_000; 10]);
    let make = |n: u32| Shared::new(Value::new(n)).expect("memory");
    let made = pool.run(make, 5).expect("a handle");
    let add = |value: Shared<Value<u32>>| value.update(|n| n + 1);
    assert_eq!(pool.run(add, made.clone()).expect("a number"), 6);
    assert_eq!(made.get(), 6);
    let queue = Queue::bounded(4).expect("memory");
    let talk = pool.submit(|queue: Queue<u32>| queue.send(9).is_ok(), queue.clone());
    assert_eq!(queue.recv_timeout(LONG), Ok(9));
    assert!(talk.expect("open").wait().expect("a result"));
}

#[test]
fn a_result_may_be_larger_than_anything() {
    let _watchdog = Watchdog::new("a_result_may_be_larger_than_anything");
    let pool = pool(2);
    let make = |len: usize| -> Vec<u8> { (0..=249).cycle().take(len).collect() };
    for len in [0, 1, 4_095, 70_000, 30_000_000] {
        let task = pool.submit(make, len).expect("open");
        let made = task.wait().expect("a result");
        assert_eq!(made, make(len));
        let back: usize = pool.run(|bytes: Vec<u8>| bytes.len(), made).expect("a number");
        assert_eq!(back, len);
    }
    assert!(
        pool.map(make, [1_000_000; 20]).expect("all").iter().all(|made| made.len() == 1_000_000)
    );
    recovers(&pool, 2);
}

#[test]
fn a_pool_says_its_name_and_an_idle_worker_has_no_deadline() {
    let _watchdog = Watchdog::new("a_pool_says_its_name_and_an_idle_worker_has_no_deadline");
    let pool = Pool::builder().workers(1).name("shown").build().expect("a pool");
    assert!(format!("{pool:?}").contains("shown"), "{pool:?}");
    let workers = pids(&pool);
    pool.join().expect("ends");
    assert!(gone(&workers));
    let timeout = Duration::from_millis(1);
    let builder = Pool::builder().workers(1).task_timeout(timeout);
    let pool = builder.build().expect("a pool");
    std::thread::park_timeout(Duration::from_millis(20));
    assert_eq!(pool.stats().lost_workers, 0, "a worker without a task has no deadline");
}
