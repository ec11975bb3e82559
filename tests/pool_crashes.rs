//! The crash table: everything that can happen to a worker, at every stage of its life, is told to the task that it happened to and to no
//! other, and the pool is as before.
//!
//! `cargo test --test pool_crashes -- --nocapture` prints the cells; `PSYNC_CELL=text` plays those whose name contains the text.
#![allow(missing_docs, reason = "tests")]

mod crashing;
mod killing;
mod pooling;

use crashing::{Kind, MEMORY, Orders, Report, crash, follow};
use killing::{Watchdog, poll_for};
use pooling::{LONG, Stage as Boards, check_recovery, hold, square, stage};
use psync::{
    pool::{PoolBuilder, SubmitError, Task, TaskError},
    prelude::*,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

/// How many workers each pool has.
const SIZE: usize = 2;

/// Where it happens.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// In the initialiser.
    Initializer,
    /// Before the task, while its argument is decoded.
    Before,
    /// In the task.
    Task,
    /// After the task, while its result is encoded, or decoded by the other side.
    After,
    /// Between tasks, when there is nothing to do.
    Idle,
    /// Between tasks, while others come.
    Queued,
    /// While a callback runs, which then panics.
    Callback,
    /// When the pool is closed and being joined.
    Shutdown,
    /// When the pool is being terminated.
    Terminated,
}

type Outcome = Result<(), String>;

impl Stage {
    fn plays(self, kind: Kind) -> bool {
        match self {
            Self::Initializer | Self::Before => kind.is_anywhere() || kind == Kind::DecodeArgument,
            Self::Task | Self::Idle | Self::Queued => kind.is_anywhere(),
            Self::After => kind != Kind::DecodeArgument,
            Self::Callback | Self::Shutdown | Self::Terminated => true,
        }
    }

    fn play(self, kind: Kind) -> Outcome {
        match self {
            Self::Initializer => in_the_initializer(kind),
            Self::Before | Self::Task | Self::After => in_a_task(self, kind),
            Self::Idle => when_idle(kind),
            Self::Queued => while_others_come(kind),
            Self::Callback => while_a_callback_runs(kind),
            Self::Shutdown => at_the_end(kind),
            Self::Terminated => while_it_is_terminated(kind),
        }
    }
}

fn builder() -> PoolBuilder {
    Pool::builder().workers(SIZE).max_memory(MEMORY)
}

fn pool() -> Result<Pool, String> {
    builder().build().map_err(|error| error.to_string())
}

fn submit(pool: &Pool, orders: Orders) -> Result<Task<Report>, String> {
    pool.submit(follow, orders).map_err(|error| error.to_string())
}

/// Orders for something to happen to a task, where it can.
fn orders(stage: Stage, kind: Kind) -> Orders {
    let some = Some(kind);
    match (stage, kind) {
        (Stage::Before, _) | (_, Kind::DecodeArgument) => {
            Orders { when_decoded: some, ..Orders::default() }
        }
        (Stage::After, _) | (_, Kind::EncodeResult | Kind::DecodeResult) => {
            Orders { when_encoded: some, ..Orders::default() }
        }
        _ => Orders { in_task: some, ..Orders::default() },
    }
}

fn check(kind: Kind, result: Result<Report, TaskError>) -> Outcome {
    match result {
        Err(error) => kind.check(&error),
        Ok(report) => Err(format!("{kind:?} is a success: {report:?}")),
    }
}

/// What a worker was lost for, and no more, is counted.
fn check_losses(pool: &Pool, lost: u64) -> Outcome {
    let as_expected = || {
        let stats = pool.stats();
        (stats.lost_workers, stats.started_workers) == (lost, SIZE as u64 + lost)
    };
    if poll_for(LONG, as_expected) {
        return Ok(());
    }
    Err(format!("{lost} should be lost: {:?}", pool.stats()))
}

fn in_the_initializer(kind: Kind) -> Outcome {
    let begin = |orders: Orders| orders.in_task.into_iter().for_each(crash);
    let pool = builder().initializer(begin, orders(Stage::Initializer, kind)).build();
    let pool = pool.map_err(|error| error.to_string())?;
    for _ in 0..3 {
        match pool.submit(square, 2).map(Task::wait) {
            Ok(Err(error)) => kind.check_initializer(&error)?,
            Err(SubmitError::Initializer(why)) => {
                kind.check_initializer(&TaskError::Initializer(why))?;
            }
            other => return Err(format!("a task of a broken pool: {other:?}")),
        }
        kind.check_initializer(&pool.run(square, 2).err().ok_or("a result")?)?;
        kind.check_initializer(&pool.map(square, 0..9).err().ok_or("results")?)?;
    }
    let started = pool.stats().started_workers;
    if started > SIZE as u64 {
        return Err(format!("{started} workers were started"));
    }
    let error = pool.join().err().ok_or("a broken pool ends as if nothing had been")?;
    kind.check_initializer(&error.downcast::<TaskError>().map_err(|error| error.to_string())?)
}

fn in_a_task(stage: Stage, kind: Kind) -> Outcome {
    let pool = pool()?;
    let (before, told) = (submit(&pool, Orders::default())?, Arc::new(AtomicU32::new(0)));
    let task = submit(&pool, orders(stage, kind))?;
    let after = submit(&pool, Orders::default())?;
    let tell = Arc::clone(&told);
    task.on_done(move |result| {
        tell.fetch_add(u32::from(result.is_err()), SeqCst);
    });
    check(kind, task.wait())?;
    if told.load(SeqCst) != 1 {
        return Err(format!("the callback was told {} times", told.load(SeqCst)));
    }
    for innocent in [before, after] {
        innocent.wait().map_err(|error| format!("another task: {error}"))?;
    }
    check_recovery(&pool, SIZE)?;
    check_losses(&pool, u64::from(kind.is_loss()))?;
    // Once more among many, and for all of them.
    let many = [0; 20].map(|_| orders(stage, kind)).into_iter().chain([Orders::default()]);
    let mut results: Vec<_> = pool.imap(follow, many).collect();
    results.pop().ok_or("nothing")?.map_err(|error| format!("the last: {error}"))?;
    results.into_iter().try_for_each(|result| check(kind, result))?;
    check_recovery(&pool, SIZE)
}

type Cue = (Shared<Boards>, usize, Kind);

/// Leaves a thread behind in which it will happen.
fn leave_behind((stage, place, kind): Cue) -> i32 {
    thread::spawn(move || {
        stage.here[place].set();
        stage.cue[place].wait();
        crash(kind);
    });
    psync::current().pid()
}

fn when_idle(kind: Kind) -> Outcome {
    let (pool, stage) = (pool()?, stage());
    let cue = (stage.clone(), 0, kind);
    let pid = pool.run(leave_behind, cue).map_err(|error| error.to_string())?;
    stage.here[0].wait();
    check_recovery(&pool, SIZE)?;
    stage.cue[0].set();
    let lost = u64::from(kind.is_loss());
    // Nobody has to ask for it.
    check_losses(&pool, lost)?;
    let is_there = || pool.workers().iter().any(|worker| worker.pid == pid);
    if !poll_for(LONG, || is_there() != kind.is_loss()) {
        return Err(format!("{pid} is one of the workers: {:?}", pool.workers()));
    }
    check_recovery(&pool, SIZE)
}

fn while_others_come(kind: Kind) -> Outcome {
    let (pool, stage) = (pool()?, stage());
    let cue = (stage.clone(), 0, kind);
    pool.run(leave_behind, cue).map_err(|error| error.to_string())?;
    stage.here[0].wait();
    let mut tasks = Vec::new();
    for n in 0..40 {
        if n == 20 {
            stage.cue[0].set();
        }
        tasks.push((n, pool.submit(square, n).map_err(|error| error.to_string())?));
    }
    let mut lost = 0;
    for (n, task) in tasks {
        match task.wait() {
            Ok(result) if result == n * n => {}
            Ok(result) => return Err(format!("the square of {n} is {result}")),
            Err(error) => {
                kind.check(&error)?;
                lost += 1;
            }
        }
    }
    if lost > u32::from(kind.is_loss()) {
        return Err(format!("one death has cost {lost} tasks"));
    }
    check_losses(&pool, u64::from(kind.is_loss()))?;
    check_recovery(&pool, SIZE)
}

fn while_a_callback_runs(kind: Kind) -> Outcome {
    let (pool, stage) = (pool()?, stage());
    let first = pool.submit(hold, (stage.clone(), 0)).map_err(|error| error.to_string())?;
    let crashing = submit(&pool, orders(Stage::Task, kind))?;
    // The callback is there from before the crash, or at least from before it is told, to behind it.
    let during = stage.clone();
    first.on_done(move |_| {
        during.here[1].set();
        during.cue[1].wait();
        panic!("the callback has waited");
    });
    stage.cue[0].set();
    stage.here[1].wait();
    let dying = submit(&pool, orders(Stage::Task, kind))?;
    let last = submit(&pool, Orders::default())?;
    if kind.is_loss() && !poll_for(LONG, || pool.stats().lost_workers == 2) {
        return Err(format!("a callback keeps deaths from being seen: {:?}", pool.stats()));
    }
    stage.cue[1].set();
    first.wait().map_err(|error| format!("the callback's task: {error}"))?;
    for task in [crashing, dying] {
        task.on_done(|result| panic!("{result:?} is contained as well"));
        check(kind, task.wait())?;
    }
    last.wait().map_err(|error| format!("the one behind: {error}"))?;
    check_recovery(&pool, SIZE)
}

type Late = (Shared<Boards>, Orders);

/// Follows its orders when it gets its cue.
fn follow_late((stage, orders): Late) -> Report {
    stage.here[0].set();
    stage.cue[0].wait();
    follow(orders)
}

fn at_the_end(kind: Kind) -> Outcome {
    let (pool, stage) = (pool()?, stage());
    let orders = orders(Stage::Task, kind);
    // What happens while it is decoded happens before it can wait.
    let late = (stage.clone(), orders);
    let task = pool.submit(follow_late, late).map_err(|error| error.to_string())?;
    let queued: Vec<_> = (0..5).map(|n| pool.submit(square, n)).collect();
    pool.close();
    thread::scope(|scope| {
        let joining = scope.spawn(|| pool.join());
        stage.cue[0].set();
        match joining.join() {
            Ok(Ok(())) => Ok(()),
            other => Err(format!("join: {other:?}")),
        }
    })?;
    if !task.is_done() {
        return Err("it was not waited for".to_owned());
    }
    check(kind, task.wait())?;
    for (n, task) in (0..).zip(queued) {
        match task.map(Task::wait) {
            Ok(Ok(result)) if result == n * n => {}
            other => return Err(format!("what was queued: {other:?}")),
        }
    }
    Ok(())
}

fn while_it_is_terminated(kind: Kind) -> Outcome {
    let (pool, stage) = (pool()?, stage());
    let late = (stage.clone(), orders(Stage::Task, kind));
    let task = pool.submit(follow_late, late).map_err(|error| error.to_string())?;
    let queued = pool.submit(square, 3).map_err(|error| error.to_string())?;
    stage.cue[0].set();
    pool.terminate();
    match task.wait() {
        Err(TaskError::Closed) => {}
        result => check(kind, result)?,
    }
    match queued.wait() {
        Ok(9) | Err(TaskError::Closed) => {}
        other => return Err(format!("what was queued: {other:?}")),
    }
    pool.join().map_err(|error| error.to_string())
}

/// Plays a row of the table and tells everything that is wrong with it.
fn play(stage: Stage) {
    let watchdog = Watchdog::new("the crash table");
    let only = std::env::var("PSYNC_CELL").unwrap_or_default();
    let mut problems = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| stage.plays(*kind)) {
        let name = format!("{stage:?} {kind:?}");
        if !name.contains(&only) {
            continue;
        }
        watchdog.step(name.clone());
        match stage.play(kind) {
            Ok(()) => println!("{name}: as it should be"),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

macro_rules! rows {
    ($($name:ident: $stage:ident,)+) => {$(
        #[test]
        fn $name() {
            play(Stage::$stage);
        }
    )+};
}

rows! {
    crashes_in_the_initializer: Initializer,
    crashes_before_the_task: Before,
    crashes_in_the_task: Task,
    crashes_after_the_task: After,
    crashes_between_tasks: Idle,
    crashes_between_tasks_while_others_come: Queued,
    crashes_while_a_callback_runs: Callback,
    crashes_while_a_pool_is_joined: Shutdown,
    crashes_while_a_pool_is_terminated: Terminated,
}
