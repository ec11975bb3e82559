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

/// One that all processes have without a handle, so that tasks travel in batches.
#[shared]
static LEDGER: Ledger = Ledger {
    begun: [const { AtomicU8::new(0) }; TASKS],
    ended: [const { AtomicU8::new(0) }; TASKS],
};

impl Ledger {
    fn clear(&self) {
        self.begun.iter().chain(&self.ended).for_each(|count| count.store(0, SeqCst));
    }

    fn work(&self, n: usize) -> usize {
        self.begun[n].fetch_add(1, SeqCst);
        spin(WORK);
        self.ended[n].fetch_add(1, SeqCst);
        n * 3
    }

    fn counts(&self, n: usize) -> (u8, u8) {
        (self.begun[n].load(SeqCst), self.ended[n].load(SeqCst))
    }
}

/// One storm at a time: each takes all processors.
static ALONE: StdMutex<()> = StdMutex::new(());

/// One at a time: each takes a handle along.
fn work((ledger, n): (Shared<Ledger>, usize)) -> usize {
    ledger.work(n)
}

fn work_in_batches(n: usize) -> usize {
    LEDGER.work(n)
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
        let (begun, ended) = ledger.counts(n);
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
        LEDGER.clear();
        let killed = storm(&pool, &mut random, || {
            let options = MapOptions { chunk, ..MapOptions::default() };
            let mapped = pool.imap_with(work_in_batches, 0..TASKS, options);
            let mut count = 0;
            for (n, result) in mapped.enumerate() {
                watchdog.step(format!("chunks of {chunk:?}, item {n}"));
                assert_eq!(result.expect("it is tried again"), n * 3);
                count += 1;
            }
            assert_eq!(count, TASKS);
        });
        check_storm(&pool, &killed, 3);
        assert!((0..TASKS).all(|n| LEDGER.counts(n).1 >= 1));
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
        LEDGER.clear();
        let mut results = Vec::new();
        let killed = storm(&pool, &mut random, || {
            if by_map {
                watchdog.step("imap");
                results = pool.imap(work_in_batches, 0..TASKS).collect();
            } else {
                let arguments = (0..TASKS).map(|n| (ledger.clone(), n));
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
            let (begun, ended) = if by_map { LEDGER.counts(n) } else { ledger.counts(n) };
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

/// Threads that submit, map and cancel side by side, while workers die.
#[test]
fn threads_share_a_pool_in_a_storm() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("threads_share_a_pool_in_a_storm");
    let mut random = Random::new();
    println!("seed {}", random.seed);
    let pool = Pool::builder().workers(3).retries(1_000).max_tasks_per_worker(150).build();
    let pool = pool.expect("a pool");
    let triple = |n: usize| {
        spin(WORK);
        n * 3
    };
    let submits = |from: usize| {
        for n in from..from + 600 {
            assert_eq!(pool.run(triple, n), Ok(n * 3));
        }
    };
    let maps = |from: usize| {
        let mapped = pool.map(triple, from..from + 3_000).expect("all");
        assert!(mapped.into_iter().eq((from..from + 3_000).map(|n| n * 3)));
    };
    let cancels = |from: usize| {
        for n in (from..from + 900).step_by(3) {
            let tasks = [n, n + 1, n + 2].map(|n| pool.submit(triple, n).expect("open"));
            let cancelled = tasks.each_ref().map(Task::cancel);
            for ((n, task), cancelled) in (n..).zip(tasks).zip(cancelled) {
                let expected = if cancelled { Err(TaskError::Cancelled) } else { Ok(n * 3) };
                assert_eq!(task.wait(), expected);
            }
        }
    };
    storm(&pool, &mut random, || {
        watchdog.step("threads");
        thread::scope(|scope| {
            scope.spawn(|| submits(0));
            scope.spawn(|| submits(100_000));
            scope.spawn(|| maps(200_000));
            scope.spawn(|| maps(300_000));
            scope.spawn(|| cancels(400_000));
        });
    });
    recovers(&pool, 3);
    pool.join().expect("ends");
}
