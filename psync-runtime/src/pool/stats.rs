//! What a pool tells about itself.

use super::{crew::Member, desk::State, inner::Inner, signal::lock};
use crate::sys::clock;
use core::{cell::RefCell, time::Duration};

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerState {
    /// It has not run its initialiser yet.
    Starting,
    /// It waits for a task.
    Idle,
    /// It runs one.
    Busy,
}

/// A worker of a pool, as it was at one moment.
///
/// # Examples
/// ```
/// use psync::{Pool, pool::WorkerState};
///
/// let pool = Pool::new(2)?;
/// let workers = pool.workers();
/// assert_eq!(workers.len(), 2);
/// assert!(workers.iter().all(|worker| worker.pid > 0 && worker.state != WorkerState::Busy));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its pid.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: WorkerState,
    /// The task that it runs: its [`Task::id`](super::Task::id), or the index of the item in a map.
    pub task: Option<u64>,
    /// How long it has run that, give or take a few milliseconds.
    pub task_age: Option<Duration>,
    /// How many tasks it has finished, not counting those of the batch that it is at.
    pub tasks_done: u64,
}

/// A pool, as it was at one moment.
///
/// # Examples
/// ```
/// use psync::Pool;
///
/// let pool = Pool::new(2)?;
/// pool.map(|n: u32| n + 1, 0..10)?;
/// let stats = pool.stats();
/// assert_eq!((stats.done, stats.failed, stats.queued), (10, 0, 0));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Its workers that live.
    pub workers: Vec<WorkerInfo>,
    /// How many tasks have not begun.
    pub queued: usize,
    /// How many run.
    pub running: usize,
    /// How many have returned.
    pub done: u64,
    /// How many have failed, in whichever way, or were cancelled.
    pub failed: u64,
    /// How often a task was tried again after it had cost a worker.
    pub retried: u64,
    /// How many workers have ended otherwise than they should.
    pub lost_workers: u64,
    /// How many workers were started.
    pub started_workers: u64,
}

impl Inner {
    /// One that ends is replaced at once, but for a moment nobody has its seat: that is waited for.
    pub(super) fn workers(&self) -> Vec<WorkerInfo> {
        let living = RefCell::default();
        let look = || {
            let crew = lock(&self.crew);
            let members = crew.members.iter().enumerate();
            let seen: Vec<_> =
                members.filter_map(|(seat, member)| self.worker(seat, member)).collect();
            let is_settled = seen.len() == crew.members.len() || crew.is_short;
            living.replace(seen);
            is_settled || !self.is_ours() || !self.needs_workers()
        };
        self.await_staff(&look);
        living.into_inner()
    }

    fn worker(&self, seat: usize, member: &Member) -> Option<WorkerInfo> {
        let process = member.process.as_ref().filter(|process| process.is_alive())?;
        let place = self.seat(seat);
        let is_at = |state| matches!(state, State::Taken(by) | State::Stopped(by) if by == seat);
        let ticket = place.ticket();
        let running = place.progress().running().filter(|_| is_at(self.state(ticket)));
        let is_busy = running.is_some();
        let base = || lock(&self.books).get(ticket).map(|batch| batch.base);
        let task = running.and_then(|index| Some(base()? + u64::from(index)));
        let age = || Duration::from_nanos(clock::coarse().saturating_sub(place.since()));
        Some(WorkerInfo {
            pid: process.pid(),
            name: process.name().to_owned(),
            state: match (place.is_ready(), is_busy) {
                (false, _) => WorkerState::Starting,
                (true, false) => WorkerState::Idle,
                (true, true) => WorkerState::Busy,
            },
            task,
            task_age: is_busy.then(age),
            tasks_done: place.tasks(),
        })
    }

    pub(super) fn stats(&self) -> PoolStats {
        let workers = self.workers();
        let running = workers.iter().filter(|worker| worker.state == WorkerState::Busy).count();
        let (lost_workers, started_workers) = {
            let crew = lock(&self.crew);
            (crew.lost, crew.started)
        };
        let mut books = lock(&self.books);
        let mut queued = books.waiting();
        for (ticket, batch) in books.all_sent().filter(|(_, batch)| !batch.is_given_up) {
            let open = batch.open().len();
            let begun = match self.state(ticket) {
                State::Taken(seat) | State::Stopped(seat) => (self.seat(seat).progress().begun
                    as usize)
                    .saturating_sub(batch.settled as usize),
                _ => 0,
            };
            queued += open.saturating_sub(begun);
        }
        let (done, failed, retried) = (books.done, books.failed, books.retried);
        PoolStats { workers, queued, running, done, failed, retried, lost_workers, started_workers }
    }
}
