//! What the tests of pools share: a stage on which tasks wait for their cue, and a look at the pool after every mishap.
#![allow(dead_code, reason = "each test program uses some of it")]

use psync::{
    pool::{Task, TaskError, WorkerState},
    prelude::*,
};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, AtomicU64},
    time::Duration,
};

use crate::killing::{look_at, poll_for};

/// Long enough for everything that does not hang.
pub(crate) const LONG: Duration = Duration::from_secs(50);
/// Long enough to see that something does not happen at once.
pub(crate) const SOON: Duration = Duration::from_millis(50);

/// Where tasks tell that they are there, and wait for their cue.
#[shared]
pub(crate) struct Stage {
    pub(crate) here: [Event; 16],
    pub(crate) cue: [Event; 16],
    pub(crate) pids: [Value<i32>; 16],
    pub(crate) count: AtomicU32,
    pub(crate) sum: AtomicU64,
}

/// A stage and one's place on it: what most tasks get.
pub(crate) type Place = (Shared<Stage>, usize);

pub(crate) fn stage() -> Shared<Stage> {
    Shared::new(Stage::default()).expect("memory")
}

/// Tells that it runs, waits for its cue, and returns its place.
pub(crate) fn hold((stage, place): Place) -> usize {
    stage.pids[place].set(psync::current().pid());
    stage.here[place].set();
    stage.cue[place].wait();
    place
}

/// The same, and panics.
pub(crate) fn hold_and_panic(place: Place) -> usize {
    let place = hold(place);
    panic!("from place {place}");
}

pub(crate) fn square(n: u64) -> u64 {
    n * n
}

pub(crate) fn own_pid(_: ()) -> i32 {
    psync::current().pid()
}

/// Tells that it is there and stays until somebody ends it.
pub(crate) fn stay((stage, place): Place) -> usize {
    stage.pids[place].set(psync::current().pid());
    stage.here[place].set();
    loop {
        std::thread::park();
    }
}

/// A pool of so many workers, and nothing special about it.
pub(crate) fn pool(workers: usize) -> Pool {
    Pool::new(workers).expect("a pool")
}

/// Submits [`hold`] and waits until it runs.
pub(crate) fn held(pool: &Pool, stage: &Shared<Stage>, place: usize) -> Task<usize> {
    let task = pool.submit(hold, (stage.clone(), place)).expect("an open pool");
    stage.here[place].wait();
    task
}

pub(crate) fn pids(pool: &Pool) -> BTreeSet<i32> {
    pool.workers().iter().map(|worker| worker.pid).collect()
}

/// Whether there is such a process, and it has not ended.
pub(crate) fn is_alive(pid: i32) -> bool {
    look_at(pid).is_some_and(|seen| !seen.zombie)
}

/// Whether all of them end soon, and whoever started them has noticed.
pub(crate) fn gone(pids: &BTreeSet<i32>) -> bool {
    poll_for(LONG, || pids.iter().all(|pid| look_at(*pid).is_none()))
}

/// After whatever has happened: the next hundred tasks succeed, and there are as many workers as there should be.
pub(crate) fn check_recovery(pool: &Pool, workers: usize) -> Result<(), String> {
    match pool.map(square, 0..100) {
        Ok(squares) if squares.iter().copied().eq((0..100).map(|n| n * n)) => {}
        other => return Err(format!("the next hundred: {other:?}")),
    }
    let at_size = || {
        let all = pool.workers();
        all.len() == workers
            && pids(pool).len() == workers
            && all.iter().all(|one| one.state == WorkerState::Idle && is_alive(one.pid))
    };
    if poll_for(LONG, at_size) {
        return Ok(());
    }
    Err(format!("not {workers} idle workers: {:?}", pool.workers()))
}

/// The same in a test.
pub(crate) fn recovers(pool: &Pool, workers: usize) {
    if let Err(problem) = check_recovery(pool, workers) {
        panic!("{problem}");
    }
}

/// The signal that ended the worker of a task.
pub(crate) fn lost_by<R>(result: &Result<R, TaskError>) -> Option<i32> {
    match result {
        Err(TaskError::WorkerLost { cause, .. }) => cause.signal(),
        _ => None,
    }
}

/// The code with which the worker of a task exited.
pub(crate) fn exited_with<R>(result: &Result<R, TaskError>) -> Option<i32> {
    match result {
        Err(TaskError::WorkerLost { cause, .. }) => cause.code(),
        _ => None,
    }
}

/// What a task panicked with.
pub(crate) fn panic_of<R>(result: &Result<R, TaskError>) -> Option<&str> {
    match result {
        Err(TaskError::Panicked { message, .. }) => Some(message),
        _ => None,
    }
}
