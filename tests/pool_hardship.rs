//! What is unlikely and happens: panics that panic, callbacks that take their time, workers that are stopped, and programs that end in the middle.
#![allow(missing_docs, unsafe_code, reason = "tests; one signals a group")]

mod common;
mod killing;
mod pooling;

use common::programs::command;
use killing::{Watchdog, poll_for, signal};
use pooling::{
    LONG, SOON, exited_with, gone, held, lost_by, own_pid, panic_of, pids, pool, recovers, square,
    stage, stay,
};
use psync::{
    pool::{Task, TaskError},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    panic::panic_any,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Wake, Waker},
    thread,
    time::Duration,
};

/// What a panic carries, which panics once more when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb goes off");
    }
}

#[test]
fn what_a_panic_carries_may_panic_as_well() {
    let _watchdog = Watchdog::new("what_a_panic_carries_may_panic_as_well");
    let (pool, stage) = (pool(1), stage());
    let worker = pids(&pool);
    let result = pool.run(|()| -> u32 { panic_any(Bomb) }, ());
    assert!(matches!(result, Err(TaskError::Panicked { .. })), "{result:?}");
    recovers(&pool, 1);
    assert_eq!(pids(&pool), worker, "a panic costs no worker");
    let task = held(&pool, &stage, 0);
    let calls = Arc::new(AtomicUsize::new(0));
    task.on_done(|_| panic_any(Bomb));
    let call = Arc::clone(&calls);
    task.on_done(move |_| {
        call.fetch_add(1, SeqCst);
    });
    stage.cue[0].set();
    assert_eq!(task.wait().expect("a result"), 0);
    assert_eq!(calls.load(SeqCst), 1);
    recovers(&pool, 1);
}

/// A result that panics when it is dropped, but not by whoever makes it.
#[derive(Debug, Serialize, Deserialize)]
struct Mine {
    maker: i32,
}

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(self.maker == killing::own_pid(), "the mine of {} goes off", self.maker);
    }
}

#[test]
fn a_result_that_nobody_wants_may_panic() {
    let _watchdog = Watchdog::new("a_result_that_nobody_wants_may_panic");
    let (pool, stage) = (pool(2), stage());
    // It is decoded and dropped by whoever takes results in.
    let make = |stage: Shared<pooling::Stage>| {
        stage.cue[0].wait();
        Mine { maker: killing::own_pid() }
    };
    for _ in 0..4 {
        drop(pool.submit(make, stage.clone()).expect("open"));
    }
    // The same of items of a map that is left.
    drop(pool.imap(make, (0..4).map(|_| stage.clone())));
    stage.cue.iter().for_each(Event::set);
    recovers(&pool, 2);
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    pool.submit(square, 3).expect("open").on_done(move |_| {
        tell.fetch_add(1, SeqCst);
    });
    assert!(poll_for(LONG, || told.load(SeqCst) == 1), "nobody takes in results any more");
}

#[test]
fn a_callback_that_comes_while_another_runs_is_called() {
    let _watchdog = Watchdog::new("a_callback_that_comes_while_another_runs_is_called");
    let pool = pool(1);
    let task = pool.submit(square, 6).expect("open");
    assert!(poll_for(LONG, || task.is_done()));
    let (calls, count) =
        (Arc::new(AtomicUsize::new(0)), |result: &Result<u64, _>| usize::from(*result == Ok(36)));
    thread::scope(|scope| {
        let (here, is_here) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let (slow, task) = (Arc::clone(&calls), &task);
        scope.spawn(move || {
            task.on_done(move |result| {
                here.send(()).expect("somebody listens");
                may_go.recv().expect("it may go on");
                slow.fetch_add(count(result), SeqCst);
            });
        });
        is_here.recv().expect("it is called at once");
        let late = Arc::clone(&calls);
        task.on_done(move |result| {
            late.fetch_add(count(result), SeqCst);
        });
        go.send(()).expect("it waits");
    });
    assert_eq!(calls.load(SeqCst), 2);
    assert_eq!(task.wait(), Ok(36));
}

#[test]
fn callbacks_from_many_threads_are_all_called() {
    let watchdog = Watchdog::new("callbacks_from_many_threads_are_all_called");
    let pool = pool(1);
    for round in 0..killing::rounds(100) {
        watchdog.step(format!("round {round}"));
        let task = pool.submit(square, 6).expect("open");
        let calls = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let call = Arc::clone(&calls);
                        task.on_done(move |result| {
                            assert_eq!(*result, Ok(36));
                            call.fetch_add(1, SeqCst);
                        });
                    }
                });
            }
        });
        assert_eq!(task.wait(), Ok(36));
        assert_eq!(calls.load(SeqCst), 40);
    }
}

#[test]
fn a_join_waits_for_callbacks() {
    let _watchdog = Watchdog::new("a_join_waits_for_callbacks");
    let (pool, stage) = (pool(1), stage());
    let task = held(&pool, &stage, 0);
    let (go, wait) = mpsc::channel::<()>();
    task.on_done(move |_| {
        let _ = wait.recv();
    });
    stage.cue[0].set();
    thread::scope(|scope| {
        let joining = scope.spawn(|| pool.join());
        thread::park_timeout(SOON);
        assert!(!task.is_done());
        assert!(!joining.is_finished(), "a callback is not through");
        go.send(()).expect("it waits");
        joining.join().expect("no panic").expect("ends");
    });
    assert!(task.is_done());
}

#[test]
fn the_last_handle_of_a_pool_may_be_dropped_by_a_callback() {
    let _watchdog = Watchdog::new("the_last_handle_of_a_pool_may_be_dropped_by_a_callback");
    let (pool, stage) = (Arc::new(pool(2)), stage());
    let task = held(&pool, &stage, 0);
    let workers = pids(&pool);
    let (tell, told) = mpsc::channel();
    let last = Arc::clone(&pool);
    task.on_done(move |_| {
        while Arc::strong_count(&last) > 1 {
            thread::yield_now();
        }
        drop(last);
        tell.send(()).expect("somebody listens");
    });
    drop(pool);
    stage.cue[0].set();
    told.recv_timeout(LONG).expect("it is dropped");
    assert!(gone(&workers));
    assert_eq!(task.wait(), Ok(0));
}

struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn only_the_last_waker_is_kept() {
    let _watchdog = Watchdog::new("only_the_last_waker_is_kept");
    let (pool, stage) = (pool(1), stage());
    let mut task = held(&pool, &stage, 0);
    let wakers: Vec<_> = (0..1_000).map(|_| Arc::new(Counted(AtomicUsize::new(0)))).collect();
    for counted in &wakers {
        let waker = Waker::from(Arc::clone(counted));
        let polled = Future::poll(std::pin::Pin::new(&mut task), &mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    let kept = wakers.iter().filter(|counted| Arc::strong_count(counted) > 1).count();
    assert_eq!(kept, 1, "wakers are piled up");
    stage.cue[0].set();
    assert_eq!(task.wait(), Ok(0));
}

#[test]
fn a_worker_that_is_stopped_runs_into_its_deadline() {
    let _watchdog = Watchdog::new("a_worker_that_is_stopped_runs_into_its_deadline");
    let stage = stage();
    let limit = Duration::from_millis(500);
    let pool = Pool::builder().workers(1).task_timeout(limit).build().expect("a pool");
    let task = pool.submit(stay, (stage.clone(), 0)).expect("open");
    stage.here[0].wait();
    signal(stage.pids[0].get(), libc::SIGSTOP);
    assert_eq!(task.wait(), Err(TaskError::TimedOut));
    recovers(&pool, 1);
    // One that is stopped when the pool ends.
    let pid = pool.run(own_pid, ()).expect("a pid");
    signal(pid, libc::SIGSTOP);
    pool.terminate();
    assert!(gone(&[pid].into()));
}

/// Nobody waits, and still everything goes on.
#[test]
fn a_pool_sees_to_itself() {
    let _watchdog = Watchdog::new("a_pool_sees_to_itself");
    let stage = stage();
    let limit = Duration::from_millis(100);
    let builder = Pool::builder().workers(2).task_timeout(limit).retries(1);
    let pool = builder.build().expect("a pool");
    let task = pool.submit(stay, (stage.clone(), 0)).expect("open");
    assert!(poll_for(LONG, || task.is_done()), "the deadline passes and nobody looks");
    assert!(poll_for(LONG, || pids(&pool).len() == 2), "{:?}", pool.stats());
    pids(&pool).into_iter().for_each(killing::kill);
    assert!(poll_for(LONG, || pool.stats().started_workers == 5), "{:?}", pool.stats());
    let dies = pool.submit(|()| -> u8 { std::process::abort() }, ()).expect("open");
    assert!(poll_for(LONG, || dies.is_done()));
    assert_eq!(lost_by(&dies.wait()), Some(libc::SIGABRT));
    assert!(poll_for(LONG, || pool.workers().len() == 2));
}

#[test]
fn what_threads_of_a_worker_do_is_told_of_the_task_that_runs() {
    let _watchdog = Watchdog::new("what_threads_of_a_worker_do_is_told_of_the_task_that_runs");
    let (pool, stage) = (pool(1), stage());
    #[allow(clippy::disallowed_methods, reason = "that is the task")]
    let leave = |stage: Shared<pooling::Stage>| {
        thread::spawn(move || {
            stage.cue[5].wait();
            std::process::exit(5);
        });
    };
    pool.run(leave, stage.clone()).expect("it leaves a thread behind");
    let innocent = held(&pool, &stage, 0);
    stage.cue[5].set();
    assert_eq!(exited_with(&innocent.wait()), Some(5));
    recovers(&pool, 1);
    assert_eq!(panic_of(&pool.run(|fine: bool| assert!(fine, "no"), false)), Some("no"));
}

/// A program that has a pool which works, and the pids of its workers.
fn begin(what: &str) -> (Child, BTreeSet<i32>) {
    let mut program = command(["pool", what]);
    program.stdout(Stdio::piped()).stdin(Stdio::piped()).process_group(0);
    let mut program = program.spawn().expect("it runs");
    let mut line = String::new();
    let out = program.stdout.as_mut().expect("piped");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let pids = line.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
    (program, pids)
}

#[test]
fn a_signal_to_all_of_a_program_ends_all_of_it() {
    let _watchdog = common::watchdog();
    for (number, to_all) in [(libc::SIGINT, true), (libc::SIGTERM, false), (libc::SIGKILL, false)] {
        let (mut program, workers) = begin("waits");
        assert_eq!(workers.len(), 2);
        let pid = program.id().cast_signed();
        if to_all {
            // SAFETY: to the group of the program, which is its own.
            let sent = unsafe { libc::kill(-pid, number) };
            assert_eq!(sent, 0);
        } else {
            signal(pid, number);
        }
        assert_eq!(program.wait().expect("it ends").signal(), Some(number));
        assert!(gone(&workers), "workers are left after signal {number}");
    }
}

#[test]
fn a_program_may_exit_in_a_callback_or_beside_a_wait() {
    let _watchdog = common::watchdog();
    for what in ["exits-in-callback", "exits-beside-wait", "exits-in-imap"] {
        let (mut program, workers) = begin(what);
        assert_eq!(program.wait().expect("it ends").code(), Some(7), "{what}");
        assert!(gone(&workers), "{what}: workers are left");
    }
}

#[test]
fn handles_outlive_their_pool() {
    let _watchdog = Watchdog::new("handles_outlive_their_pool");
    let (kept, unfinished): (Task<u64>, Task<usize>) = {
        let (pool, stage) = (pool(2), stage());
        let kept = pool.submit(square, 4).expect("open");
        assert!(poll_for(LONG, || kept.is_done()));
        (kept, held(&pool, &stage, 0))
    };
    assert!(!unfinished.cancel() && unfinished.is_done() && !unfinished.is_running());
    unfinished.kill();
    assert_eq!(kept.wait(), Ok(16));
    assert_eq!(unfinished.wait(), Err(TaskError::Closed));
}
