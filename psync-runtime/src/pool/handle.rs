//! `Pool`: the handle that programs hold.

use super::{
    Imap, ImapUnordered, MapOptions, PoolBuilder, PoolStats, SubmitError, Task, TaskError,
    WorkerInfo,
    batch::{Batch, Function},
    books::Phase,
    inner::Inner,
    map,
    signal::lock,
    task::TaskState,
};
use crate::{primitive::Ordering, process::Finalizer, sys::clock::Deadline};
use core::fmt;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

/// A number of processes that work on tasks.
///
/// A task is a function without captures and one argument; several arguments are a tuple, and a closure takes it apart: `pool.map(|(a, b)| a + b, pairs)`. Arguments and
/// results cross by serde, numbers, strings and vectors of numbers as they are; handles such as [`Shared`](crate::shm::Shared) or [`Queue`](crate::channel::Queue) among them are shared,
/// not copied.
///
/// A pool is used through `&`, by any number of threads. Dropping it ends it at once, see [`terminate`](Self::terminate); to have everything done first, [`join`](Self::join) it.
///
/// **When a worker dies**, in whatever way, that costs the task that it was running, and no other: the task is tried again ([`PoolBuilder::retries`]), or fails with
/// [`TaskError::WorkerLost`]. Another worker takes its place. When the process that has the pool dies, its workers end.
///
/// # Examples
/// ```
/// use psync::Pool;
///
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.map(|n: u64| n * n, 1..=5)?, [1, 4, 9, 16, 25]);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// A worker that is lost:
/// ```
/// use psync::{Pool, pool::TaskError};
///
/// let pool = Pool::new(2)?;
/// let error = pool.run(|()| std::process::abort(), ()).map(|()| ()).unwrap_err();
/// assert!(matches!(error, TaskError::WorkerLost { cause, .. } if cause.signal() == Some(6)));
/// assert_eq!(pool.run(|n: u64| n + 1, 1)?, 2);
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Pool {
    pub(super) inner: Arc<Inner>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    /// Ends it when the program exits and nobody has dropped it.
    at_exit: Option<Finalizer>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { terms, .. } = &*self.inner;
        let phase = lock(&self.inner.books).phase.clone();
        write!(f, "Pool({}, {} workers, {phase:?})", terms.name, terms.workers)
    }
}

impl Pool {
    pub(super) fn holding(inner: Arc<Inner>, keeper: JoinHandle<()>) -> Self {
        let weak = Arc::downgrade(&inner);
        // Before the exit waits for the workers.
        let at_exit = Finalizer::new(Some(i32::MIN), move || {
            if let Some(inner) = weak.upgrade() {
                terminate(&inner);
            }
        });
        Self { inner, keeper: Mutex::new(Some(keeper)), at_exit: Some(at_exit) }
    }

    /// A pool with so many workers, which start at once.
    ///
    /// # Errors
    /// As [`PoolBuilder::build`].
    pub fn new(workers: usize) -> crate::Result<Self> {
        Self::builder().workers(workers).build()
    }

    /// To choose more than the number of workers.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// The results of `f` for all items, in their order.
    ///
    /// Items are taken from the iterator as workers need them, on this thread. They go to the workers in chunks; see [`MapOptions`].
    ///
    /// # Errors
    /// The error of the first item that has none. Once one has failed, items that have not begun never will, and those that run are awaited.
    ///
    /// # Panics
    /// As the iterator does.
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn map<A, R>( // a closure cannot capture: put what it uses into the items
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, TaskError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.map_with(f, items, MapOptions::default())
    }

    /// [`map`](Self::map) with options.
    ///
    /// # Errors
    /// As [`map`](Self::map); [`TaskError::TimedOut`] if the time is up, and [`TaskError::Input`] for a chunk or a buffer of 0.
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, pool::MapOptions};
    ///
    /// let pool = Pool::new(2)?;
    /// let options = MapOptions { chunk: Some(10), progress: true, ..MapOptions::default() };
    /// assert_eq!(pool.map_with(|n: u32| n / 2, 0..100, options)?[99], 49);
    /// # Ok::<(), psync::Error>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "options are made where they are passed")]
    pub fn map_with<A, R>(
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
        options: MapOptions,
    ) -> Result<Vec<R>, TaskError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        map::map(&self.inner, f, items.into_iter(), &options)
    }

    /// The results of `f` for the items one by one, in their order, while later ones are worked on. The items may have no end.
    ///
    /// # Errors
    /// Each item has its own.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let mut squares = pool.imap(|n: u64| n * n, 1..);
    /// assert_eq!(squares.next().transpose()?, Some(1));
    /// assert_eq!(squares.next().transpose()?, Some(4));
    /// # Ok::<(), psync::Error>(())
    /// ```
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn imap<A, R, I>( // a closure cannot capture: put what it uses into the items
        &self,
        f: fn(A) -> R,
        items: I,
    ) -> Imap<A, R, I::IntoIter>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        self.imap_with(f, items, MapOptions::default())
    }

    /// [`imap`](Self::imap) with options.
    ///
    /// # Examples
    /// ```
    /// use psync::pool::{Imap, MapOptions, Pool};
    ///
    /// let pool = Pool::new(2)?;
    /// let one_by_one = MapOptions { chunk: Some(1), ..MapOptions::default() };
    /// let squares: Imap<u64, u64, _> = pool.imap_with(|n| n * n, 1..=4, one_by_one);
    /// assert_eq!(squares.collect::<Result<Vec<u64>, _>>()?, [1, 4, 9, 16]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "options are made where they are passed")]
    pub fn imap_with<A, R, I>(
        &self,
        f: fn(A) -> R,
        items: I,
        options: MapOptions,
    ) -> Imap<A, R, I::IntoIter>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        Imap::new(&self.inner, f, items.into_iter(), &options)
    }

    /// [`imap`](Self::imap) in the order in which results come.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let mut squares = pool.imap_unordered(|n: u64| n * n, 1..=3).collect::<Result<Vec<_>, _>>()?;
    /// squares.sort_unstable();
    /// assert_eq!(squares, [1, 4, 9]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn imap_unordered<A, R, I>( // a closure cannot capture: put what it uses into the items
        &self,
        f: fn(A) -> R,
        items: I,
    ) -> ImapUnordered<A, R, I::IntoIter>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        self.imap_unordered_with(f, items, MapOptions::default())
    }

    /// [`imap_unordered`](Self::imap_unordered) with options.
    ///
    /// # Examples
    /// ```
    /// use psync::pool::{ImapUnordered, MapOptions, Pool};
    ///
    /// let pool = Pool::new(2)?;
    /// let one_by_one = MapOptions { chunk: Some(1), ..MapOptions::default() };
    /// let squares: ImapUnordered<u64, u64, _> = pool.imap_unordered_with(|n| n * n, 1..=4, one_by_one);
    /// assert_eq!(squares.filter_map(Result::ok).sum::<u64>(), 30);
    /// # Ok::<(), psync::Error>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "options are made where they are passed")]
    pub fn imap_unordered_with<A, R, I>(
        &self,
        f: fn(A) -> R,
        items: I,
        options: MapOptions,
    ) -> ImapUnordered<A, R, I::IntoIter>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        ImapUnordered::new(&self.inner, f, items.into_iter(), &options)
    }

    /// Has `f(argument)` run by a worker meanwhile.
    ///
    /// # Errors
    /// See [`SubmitError`]; nothing was taken then.
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn submit<A, R>( // a closure cannot capture: put what it uses into the argument
        &self,
        f: fn(A) -> R,
        argument: A,
    ) -> Result<Task<R>, SubmitError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        let task = self.hand_over(f, argument)?;
        self.inner.call_keeper();
        Ok(task)
    }

    /// Has a worker run `f(argument)`, and waits for what it returns.
    ///
    /// # Errors
    /// See [`TaskError`].
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(1)?;
    /// assert_eq!(pool.run(|(a, b): (u32, u32)| a.pow(b), (2, 8))?, 256);
    /// # Ok::<(), psync::Error>(())
    /// ```
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn run<A, R>( // a closure cannot capture: put what it uses into the argument
        &self,
        f: fn(A) -> R,
        argument: A,
    ) -> Result<R, TaskError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        // The keeper need not be called: whoever waits takes in what the workers tell.
        self.hand_over(f, argument)?.wait()
    }

    fn hand_over<A, R>(&self, f: fn(A) -> R, argument: A) -> Result<Task<R>, SubmitError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        let state = TaskState::<R>::new(&self.inner);
        let work = Arc::clone(&state);
        let id = self.inner.next_task();
        let mut batch = Batch::new(work, Function::of(f)?, id);
        let batch = batch.push(&argument)?.unwrap_or(batch);
        drop(argument);
        self.inner.submit(batch)?;
        Ok(Task::new(&self.inner, &state, id))
    }

    /// Takes no more tasks. Those that were taken are done, maps that have begun go on to their end, and the workers end then.
    pub fn close(&self) {
        self.inner.close(Phase::Closing);
    }

    /// [`close`](Self::close)s it, and waits until all tasks are done, all callbacks have run and all workers have ended. An [`Imap`] that has items to
    /// take from its input gets [`TaskError::Closed`] for those.
    ///
    /// # Errors
    /// [`TaskError::Initializer`] if the pool was broken.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let task = pool.submit(|n: u32| n + 1, 1)?;
    /// pool.join()?;
    /// assert!(task.is_done());
    /// assert_eq!(task.wait()?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn join(self) -> crate::Result<()> {
        let inner = &self.inner;
        inner.close(Phase::Leaving);
        let is_idle = || inner.outstanding.load(Ordering::SeqCst) == 0;
        inner.wait_until(&inner.idle, &is_idle, Deadline::NEVER);
        inner.await_workers();
        inner.callbacks.finish();
        match &lock(&inner.books).phase {
            Phase::Broken(reason) => Err(TaskError::Initializer(reason.clone()).into()),
            _ => Ok(()),
        }
    }

    /// Ends it at once: the workers get SIGTERM, and those that have not ended a second later SIGKILL; it waits for that. Tasks that are not over fail with
    /// [`TaskError::Closed`].
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, pool::TaskError};
    /// use std::{thread::sleep, time::Duration};
    ///
    /// let pool = Pool::new(1)?;
    /// let stuck = pool.submit(sleep, Duration::MAX)?;
    /// pool.terminate();
    /// assert_eq!(stuck.wait(), Err(TaskError::Closed));
    /// assert!(pool.workers().is_empty());
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn terminate(&self) {
        terminate(&self.inner);
    }

    /// Its workers that live.
    pub fn workers(&self) -> Vec<WorkerInfo> {
        self.inner.workers()
    }

    /// How much it has done, and what it is doing.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// pool.map(|n: u64| n + 1, 0..100)?;
    /// let stats = pool.stats();
    /// assert_eq!((stats.done, stats.failed, stats.queued), (100, 0, 0));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn stats(&self) -> PoolStats {
        self.inner.stats()
    }
}

fn terminate(inner: &Inner) {
    if inner.is_ours() {
        inner.end(Phase::Ended);
        inner.end_workers();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.inner.is_ours() {
            // A forked copy: neither the workers nor the thread are ours.
            if let Some(at_exit) = self.at_exit.take() {
                at_exit.cancel();
            }
            return;
        }
        self.terminate();
        self.inner.dismiss_keeper();
        if let Some(keeper) = lock(&self.keeper).take()
            && keeper.thread().id() != std::thread::current().id()
        {
            // It has nothing to tell.
            let _ = keeper.join();
        }
        if let Some(at_exit) = self.at_exit.take() {
            at_exit.cancel();
        }
    }
}
