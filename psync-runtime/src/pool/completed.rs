//! Waiting for several tasks, of any pools.

use super::{
    Task,
    callbacks::step_aside,
    signal::{Signal, lock},
};
use crate::sys::clock::Deadline;
use core::{fmt, time::Duration};
use serde::de::DeserializeOwned;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// What [`wait_tasks`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// One of them is over.
    First,
    /// One of them has failed, or all are over.
    FirstError,
    /// All are over.
    All,
}

/// Not all tasks were over when the time was up.
///
/// # Examples
/// ```
/// use psync::{Pool, pool::{Unfinished, as_completed}};
/// use std::{thread, time::Duration};
///
/// let pool = Pool::new(1)?;
/// let nap = pool.submit(|()| thread::sleep(Duration::from_secs(60)), ())?;
/// let mut naps = as_completed(vec![nap]).timeout(Duration::from_millis(1));
/// assert_eq!(naps.next().unwrap().unwrap_err(), Unfinished { unfinished: 1, total: 1 });
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How many were not.
    pub unfinished: usize,
    /// Of how many.
    pub total: usize,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks are not over yet", self.unfinished, self.total)
    }
}

impl core::error::Error for Unfinished {}
crate::error::umbrella!(Unfinished);

/// In which order tasks are over, as their positions in a list.
#[derive(Debug, Default)]
struct Arrivals {
    signal: Signal,
    order: Mutex<VecDeque<usize>>,
}

impl Arrivals {
    fn of<R: DeserializeOwned + Send + 'static>(tasks: &[Task<R>]) -> Arc<Self> {
        let arrivals = Arc::new(Self::default());
        for (index, task) in tasks.iter().enumerate() {
            let arrivals = Arc::clone(&arrivals);
            task.observe(move || {
                lock(&arrivals.order).push_back(index);
                arrivals.signal.notify();
            });
        }
        arrivals
    }

    /// The next one that is over, if that comes before the deadline.
    fn next(&self, deadline: Deadline) -> Option<usize> {
        if lock(&self.order).is_empty() {
            step_aside();
        }
        self.signal.wait(|| !lock(&self.order).is_empty(), deadline);
        lock(&self.order).pop_front()
    }
}

/// The tasks one by one, each once it is over, the first one first. Its result is there.
///
/// # Examples
/// ```
/// use psync::{Pool, pool::as_completed};
///
/// let pool = Pool::new(2)?;
/// let tasks = (1..=4).map(|n: u64| pool.submit(|n| n * n, n)).collect::<Result<Vec<_>, _>>()?;
/// let mut squares = Vec::new();
/// for task in as_completed(tasks) {
///     squares.push(task.wait()?);
/// }
/// squares.sort_unstable();
/// assert_eq!(squares, [1, 4, 9, 16]);
/// # Ok::<(), psync::Error>(())
/// ```
pub fn as_completed<R: DeserializeOwned + Send + 'static>(tasks: Vec<Task<R>>) -> AsCompleted<R> {
    let arrivals = Arrivals::of(&tasks);
    let total = tasks.len();
    AsCompleted { tasks: tasks.into_iter().map(Some).collect(), arrivals, left: total, total }
}

/// See [`as_completed`].
#[must_use = "it waits when it is asked for the next one"]
pub struct AsCompleted<R> {
    tasks: Vec<Option<Task<R>>>,
    arrivals: Arc<Arrivals>,
    left: usize,
    total: usize,
}

impl<R> AsCompleted<R> {
    /// The same, up to a time that is counted from here: then comes an error that says how many are not over, and nothing more.
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, pool::as_completed};
    /// use std::{thread, time::Duration};
    ///
    /// let pool = Pool::new(2)?;
    /// let nap = |ms| pool.submit(|ms| thread::sleep(Duration::from_millis(ms)), ms);
    /// let tasks = vec![nap(0)?, nap(60_000)?];
    /// let seen: Vec<_> = as_completed(tasks).timeout(Duration::from_secs(1)).collect();
    /// assert!(seen[0].is_ok());
    /// assert_eq!(seen[1].as_ref().unwrap_err().to_string(), "1 of 2 tasks are not over yet");
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn timeout(self, timeout: Duration) -> Deadlined<R> {
        Deadlined { rest: Some(self), deadline: Deadline::after(timeout) }
    }

    fn next_until(&mut self, deadline: Deadline) -> Option<Task<R>> {
        if self.left == 0 {
            return None;
        }
        let index = self.arrivals.next(deadline)?;
        self.left -= 1;
        self.tasks[index].take()
    }
}

impl<R> Iterator for AsCompleted<R> {
    type Item = Task<R>;

    fn next(&mut self) -> Option<Task<R>> {
        self.next_until(Deadline::NEVER)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R> fmt::Debug for AsCompleted<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsCompleted({} of {} to come)", self.left, self.total)
    }
}

/// See [`AsCompleted::timeout`].
///
/// # Examples
/// ```
/// use psync::{Pool, pool::{Deadlined, as_completed}};
/// use std::time::Duration;
///
/// let pool = Pool::new(1)?;
/// let tasks = vec![pool.submit(|n: u32| n + 1, 1)?];
/// let soon: Deadlined<u32> = as_completed(tasks).timeout(Duration::from_secs(60));
/// assert_eq!(soon.count(), 1);
/// # Ok::<(), psync::Error>(())
/// ```
#[must_use = "it waits when it is asked for the next one"]
#[derive(Debug)]
pub struct Deadlined<R> {
    rest: Option<AsCompleted<R>>,
    deadline: Deadline,
}

impl<R> Iterator for Deadlined<R> {
    type Item = Result<Task<R>, Unfinished>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.as_mut().filter(|rest| rest.left > 0)?;
        if let Some(task) = rest.next_until(self.deadline) {
            return Some(Ok(task));
        }
        let late = Unfinished { unfinished: rest.left, total: rest.total };
        self.rest = None;
        Some(Err(late))
    }
}

/// Waits until as many of the tasks are over as `until` says, but not longer than `timeout`: those that are over and those that are not, each in the
/// order in which they were given.
///
/// # Examples
/// ```
/// use psync::{Pool, pool::{ReturnWhen, wait_tasks}};
/// use std::{thread, time::Duration};
///
/// let pool = Pool::new(2)?;
/// let nap = |ms| pool.submit(|ms| thread::sleep(Duration::from_millis(ms)), ms);
/// let (done, rest) = wait_tasks(vec![nap(60_000)?, nap(0)?], ReturnWhen::First, None);
/// assert_eq!((done.len(), rest.len()), (1, 1));
/// # Ok::<(), psync::Error>(())
/// ```
pub fn wait_tasks<R: DeserializeOwned + Send + 'static>(
    tasks: Vec<Task<R>>,
    until: ReturnWhen,
    timeout: Option<Duration>,
) -> (Vec<Task<R>>, Vec<Task<R>>) {
    let deadline = timeout.map_or(Deadline::NEVER, Deadline::after);
    let arrivals = Arrivals::of(&tasks);
    let mut left = tasks.len();
    while left > 0
        && let Some(index) = arrivals.next(deadline)
    {
        left -= 1;
        let is_enough = match until {
            ReturnWhen::First => true,
            ReturnWhen::FirstError => tasks[index].has_failed(),
            ReturnWhen::All => false,
        };
        if is_enough {
            break;
        }
    }
    tasks.into_iter().partition(Task::is_done)
}
