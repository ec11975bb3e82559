//! Ten thousand tasks while a random worker is killed every 20 ms: with retries all complete, without them each has either returned or is
//! lost, and none has begun twice.
#![allow(missing_docs, reason = "tests")]

mod killing;
mod pooling;

use killing::{Random, Traces, Watchdog, kill, poll_for, spin};
use pooling::{LONG, pids, recovers};
use psync::{
    pool::{MapOptions, Task, TaskError},
    prelude::*,
};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU8,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    time::Duration,
};

const TASKS: usize = 10_000;
const EVERY: Duration = Duration::from_millis(20);
/// How long each task takes: so long that most deaths meet one.
const WORK: Duration = Duration::from_micros(500);

/// How often each task has begun and ended.
#[shared]
struct Ledger {
    begun: [AtomicU8; TASKS],
    ended: [AtomicU8; TASKS],
}

/// One storm at a time: each takes all processors.
static ALONE: StdMutex<()> = StdMutex::new(());

fn work((ledger, n): (Shared<Ledger>, usize)) -> usize {
    ledger.begun[n].fetch_add(1, SeqCst);
    spin(WORK);
    ledger.ended[n].fetch_add(1, SeqCst);
    n * 3
}

/// Runs `work` while workers of the pool die; who they were.
fn storm(pool: &Pool, random: &mut Random, work: impl FnOnce()) -> BTreeSet<i32> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let bolt = scope.spawn(|| {
            let mut killed = BTreeSet::new();
            while !over.load(Relaxed) {
                thread::park_timeout(EVERY);
                let workers: Vec<i32> = pids(pool).into_iter().filter(|pid| *pid > 1).collect();
                if workers.is_empty() {
                    continue;
                }
                let struck = *random.pick(&workers);
                kill(struck);
                killed.insert(struck);
            }
            killed
        });
        work();
        over.store(true, Relaxed);
        bolt.thread().unpark();
        bolt.join().expect("no panic")
    })
}

fn ledger() -> Shared<Ledger> {
    Shared::<Ledger>::zeroed().expect("memory")
}

/// Afterwards: the pool is as before, and has noticed each death.
fn check_storm(pool: &Pool, killed: &BTreeSet<i32>, workers: usize) {
    assert!(killed.len() > 20, "no storm: {} have been killed", killed.len());
    recovers(pool, workers);
    let lost = || pool.stats().lost_workers;
    assert!(
        poll_for(LONG, || lost() == killed.len() as u64),
        "{} were killed, {} are missed",
        killed.len(),
        lost()
    );
    let left: Vec<i32> = killed.iter().copied().filter(|pid| pids(pool).contains(pid)).collect();
    assert!(left.is_empty(), "{left:?} are workers after their deaths");
}

#[test]
fn with_retries_every_task_completes() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("with_retries_every_task_completes");
    let mut random = Random::new();
    println!("seed {}", random.seed);
    let pool = Pool::builder().workers(4).retries(1_000).build().expect("a pool");
    let traces = Traces::now();
    let ledger = ledger();
    let killed = storm(&pool, &mut random, || {
        let submit = |n| pool.submit(work, (ledger.clone(), n)).expect("open");
        let tasks: Vec<Task<usize>> = (0..TASKS).map(submit).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            watchdog.step(format!("task {n}"));
            assert_eq!(task.wait().expect("it is tried again"), n * 3);
        }
    });
    check_storm(&pool, &killed, 4);
    for n in 0..TASKS {
        let (begun, ended) = (ledger.begun[n].load(SeqCst), ledger.ended[n].load(SeqCst));
        assert!(begun >= 1 && ended >= 1, "task {n} has begun {begun} and ended {ended} times");
    }
    let stats = pool.stats();
    assert_eq!(stats.failed, 0, "{stats:?}");
    assert!(stats.retried > 0 && stats.retried <= stats.lost_workers, "{stats:?}");
    traces.check(4).expect("nothing is left");
}

#[test]
fn with_retries_every_item_is_mapped() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("with_retries_every_item_is_mapped");
    let mut random = Random::new();
    println!("seed {}", random.seed);
    for chunk in [None, Some(1), Some(50)] {
        watchdog.step(format!("chunks of {chunk:?}"));
        let pool = Pool::builder().workers(3).retries(1_000).build().expect("a pool");
        let ledger = ledger();
        let killed = storm(&pool, &mut random, || {
            let items = (0..TASKS / 2).map(|n| (ledger.clone(), n));
            let options = MapOptions { chunk, ..MapOptions::default() };
            let mapped = pool.imap_with(work, items, options);
            let mut count = 0;
            for (n, result) in mapped.enumerate() {
                watchdog.step(format!("chunks of {chunk:?}, item {n}"));
                assert_eq!(result.expect("it is tried again"), n * 3);
                count += 1;
            }
            assert_eq!(count, TASKS / 2);
        });
        check_storm(&pool, &killed, 3);
    }
}

#[test]
fn without_retries_no_task_begins_twice() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("without_retries_no_task_begins_twice");
    let mut random = Random::new();
    println!("seed {}", random.seed);
    for by_map in [false, true] {
        let pool = Pool::builder().workers(4).build().expect("a pool");
        let ledger = ledger();
        let mut results = Vec::new();
        let killed = storm(&pool, &mut random, || {
            let arguments = (0..TASKS).map(|n| (ledger.clone(), n));
            if by_map {
                watchdog.step("imap");
                results = pool.imap(work, arguments).collect();
            } else {
                let tasks: Vec<Task<usize>> =
                    arguments.map(|pair| pool.submit(work, pair).expect("open")).collect();
                for (n, task) in tasks.into_iter().enumerate() {
                    watchdog.step(format!("task {n}"));
                    results.push(task.wait());
                }
            }
        });
        check_storm(&pool, &killed, 4);
        assert_eq!(results.len(), TASKS);
        let mut lost = 0;
        for (n, result) in results.into_iter().enumerate() {
            let (begun, ended) = (ledger.begun[n].load(SeqCst), ledger.ended[n].load(SeqCst));
            match result {
                Ok(value) => assert_eq!((value, begun, ended), (n * 3, 1, 1), "task {n}"),
                Err(TaskError::WorkerLost { cause, .. }) => {
                    assert_eq!(cause.signal(), Some(libc::SIGKILL), "task {n}");
                    assert!(begun <= 1, "task {n} has begun {begun} times");
                    lost += 1;
                }
                Err(error) => panic!("task {n}: {error}"),
            }
        }
        let stats = pool.stats();
        let killed = killed.len() as u64;
        println!("{killed} kills, {lost} tasks lost");
        assert!((1..=killed).contains(&lost), "{killed} kills have cost {lost} tasks");
        assert_eq!((stats.failed, stats.retried), (lost, 0), "{stats:?}");
    }
}
