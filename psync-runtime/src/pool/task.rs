//! `Task`: a call that runs meanwhile, and what it will return.

use super::{
    batch::{Outcome, Parcel, Work, WorkId},
    callbacks::{contain, step_aside},
    error::{TaskError, complain, of_fault},
    inner::{Inner, Reach, Whereabouts},
    signal::{Signal, lock},
};
use crate::{
    channel::message,
    primitive::{AtomicBool, Ordering},
    shm::transfer,
    sys::clock::Deadline,
};
use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};

type Callback<R> = Box<dyn FnOnce(&Result<R, TaskError>) + Send>;
type Observer = Box<dyn FnOnce() + Send>;

/// A task of a pool, and the result that it will have.
///
/// It is also a `Future`, for any runtime or none: dropping it half-way loses nothing but the result, so poll `&mut task` where another branch may win.
/// Dropping a task leaves it to itself; [`cancel`](Self::cancel) or [`kill`](Self::kill) it if it is not wanted any more.
///
/// # Examples
/// ```
/// use psync::Pool;
///
/// let pool = Pool::new(2)?;
/// let task = pool.submit(|n: u64| (1..=n).product::<u64>(), 10)?;
/// task.on_done(|result| assert_eq!(result.as_ref(), Ok(&3_628_800)));
/// assert_eq!(task.wait()?, 3_628_800);
/// # Ok::<(), psync::Error>(())
/// ```
#[must_use = "it runs by itself, but its result is lost"]
pub struct Task<R> {
    id: u64,
    inner: Arc<Inner>,
    state: Arc<TaskState<R>>,
}

/// What is known of a task.
pub(super) struct TaskState<R> {
    is_over: AtomicBool,
    signal: Signal,
    progress: Mutex<Progress<R>>,
    pool: std::sync::Weak<Inner>,
}

struct Progress<R> {
    result: Option<Result<R, TaskError>>,
    was_cancelled: bool,
    /// The result is there or with the callbacks.
    is_settled: bool,
    /// A callback that came afterwards has it at this moment.
    is_lent: bool,
    callbacks: Vec<Callback<R>>,
    /// Of whoever has polled last.
    waker: Option<Waker>,
    /// Of whoever has the task now, who alone can wait for it.
    observer: Option<Observer>,
}

impl<R: DeserializeOwned + Send + 'static> TaskState<R> {
    pub(super) fn new(inner: &Arc<Inner>) -> Arc<Self> {
        let progress = Progress {
            result: None,
            was_cancelled: false,
            is_settled: false,
            is_lent: false,
            callbacks: Vec::new(),
            waker: None,
            observer: None,
        };
        Arc::new(Self {
            is_over: AtomicBool::new(false),
            signal: Signal::default(),
            progress: Mutex::new(progress),
            pool: Arc::downgrade(inner),
        })
    }
}

impl<R> TaskState<R> {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The callbacks have run: whoever waits may have the result.
    fn finish(&self, progress: &mut Progress<R>) -> (Option<Waker>, Option<Observer>) {
        self.is_over.store(true, Ordering::Release);
        (progress.waker.take(), progress.observer.take())
    }

    fn tell(&self, (waker, observer): (Option<Waker>, Option<Observer>)) {
        self.signal.notify();
        if let Some(waker) = waker {
            contain(|| waker.wake());
        }
        if let Some(observer) = observer {
            observer();
        }
    }

    /// Has whoever asked meanwhile see a result that was lent, and puts it back.
    fn give_back(&self, result: Result<R, TaskError>) {
        loop {
            let mut progress = lock(&self.progress);
            let callbacks = core::mem::take(&mut progress.callbacks);
            if callbacks.is_empty() {
                (progress.result, progress.is_lent) = (Some(result), false);
                return;
            }
            drop(progress);
            for callback in callbacks {
                contain(|| callback(&result));
            }
        }
    }

    /// Runs callbacks until there are no more, with the result in hand.
    fn call_back(&self) {
        loop {
            let mut progress = lock(&self.progress);
            let callbacks = core::mem::take(&mut progress.callbacks);
            if callbacks.is_empty() {
                let others = self.finish(&mut progress);
                drop(progress);
                return self.tell(others);
            }
            let Some(result) = progress.result.take() else { return };
            drop(progress);
            for callback in callbacks {
                contain(|| callback(&result));
            }
            lock(&self.progress).result = Some(result);
        }
    }
}

impl<R> Drop for TaskState<R> {
    fn drop(&mut self) {
        // Perhaps by a thread of the pool's, which a result that panics must not end.
        let progress = self.progress.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (result, callbacks) =
            (progress.result.take(), core::mem::take(&mut progress.callbacks));
        contain(|| drop(result));
        contain(|| drop(callbacks));
    }
}

/// The value that came, or what kept it.
#[inline]
pub(super) fn received<R: DeserializeOwned + 'static>(
    outcome: Outcome<'_>,
) -> Result<R, TaskError> {
    let (bytes, carried) = match outcome {
        Outcome::Returned(bytes, carried, _) => (bytes, carried),
        Outcome::Faulted(fault, pid) => return Err(of_fault(fault, pid)),
        Outcome::Failed(error) => return Err(error),
    };
    if message::is_plain::<R>() {
        return message::decode(bytes).map_err(|_| TaskError::Decode);
    }
    let decode = || {
        if carried.is_empty() {
            message::decode::<R>(bytes)
        } else {
            transfer::offer_carried(carried, || message::decode(bytes))
        }
    };
    match contain(decode) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => {
            complain("the result of a task", &error.to_string());
            Err(TaskError::Decode)
        }
        // The panic has been reported as any.
        None => Err(TaskError::Decode),
    }
}

impl<R: DeserializeOwned + Send + 'static> Work for TaskState<R> {
    fn settle(self: Arc<Self>, _: u64, parcel: Parcel<'_>, count: &dyn Fn(u64, u64)) {
        let mut result = None;
        parcel.each(|_, outcome| result = Some(received::<R>(outcome)));
        let Some(result) = result else { return };
        count(u64::from(result.is_ok()), u64::from(result.is_err()));
        self.accept(result);
    }
}

impl<R: DeserializeOwned + Send + 'static> TaskState<R> {
    /// The result is there.
    fn accept(self: Arc<Self>, result: Result<R, TaskError>) {
        let mut progress = lock(&self.progress);
        if progress.is_settled {
            return;
        }
        progress.is_settled = true;
        progress.was_cancelled = matches!(result, Err(TaskError::Cancelled));
        progress.result = Some(result);
        if progress.callbacks.is_empty() {
            let others = self.finish(&mut progress);
            drop(progress);
            return self.tell(others);
        }
        drop(progress);
        match self.pool.upgrade() {
            Some(pool) => {
                let state = Arc::clone(&self);
                pool.callbacks.run(move || state.call_back());
            }
            None => self.call_back(),
        }
    }
}

impl<R> Task<R> {
    fn work(&self) -> WorkId {
        WorkId::of(&self.state)
    }
}

impl<R: DeserializeOwned + Send + 'static> Task<R> {
    pub(super) fn new(inner: &Arc<Inner>, state: &Arc<TaskState<R>>, id: u64) -> Self {
        Self { id, inner: Arc::clone(inner), state: Arc::clone(state) }
    }

    /// Its number among all tasks that were submitted to its pool, from 0: what [`WorkerInfo::task`](super::WorkerInfo::task) says while it runs.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    /// use std::{thread::sleep, time::Duration};
    ///
    /// let pool = Pool::new(1)?;
    /// let stuck = pool.submit(sleep, Duration::MAX)?;
    /// while !stuck.is_running() {
    ///     std::thread::yield_now();
    /// }
    /// # while pool.workers()[0].task.is_none() {}
    /// assert_eq!(pool.workers()[0].task, Some(stuck.id()));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Waits for its result.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub fn wait(mut self) -> Result<R, TaskError> {
        self.wait_until(Deadline::NEVER).unwrap_or(Err(TaskError::Closed))
    }

    /// Waits for its result, but not longer than `timeout`: `None`, then. The result can be had once.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Result<R, TaskError>> {
        self.wait_until(Deadline::after(timeout))
    }

    fn wait_until(&mut self, deadline: Deadline) -> Option<Result<R, TaskError>> {
        let state = &self.state;
        if !state.is_over() {
            step_aside();
        }
        self.inner.wait_until(&state.signal, &|| state.is_over(), deadline).then(|| self.take())
    }

    fn take(&self) -> Result<R, TaskError> {
        let result = lock(&self.state.progress).result.take();
        let taken = || Err(TaskError::Input("the result of the task was taken before".to_owned()));
        result.unwrap_or_else(taken)
    }

    /// Whether it failed, once it is over.
    pub(super) fn has_failed(&self) -> bool {
        self.is_done() && matches!(lock(&self.state.progress).result, Some(Err(_)))
    }

    /// Has `observer` called once it is over, in place of an earlier one.
    pub(super) fn observe(&self, observer: impl FnOnce() + Send + 'static) {
        let mut progress = lock(&self.state.progress);
        if self.is_done() {
            drop(progress);
            observer();
        } else {
            progress.observer = Some(Box::new(observer));
        }
    }

    /// Whether it is over, in whichever way, and its callbacks have run.
    pub fn is_done(&self) -> bool {
        self.state.is_over()
    }

    /// Whether a worker runs it at this moment.
    pub fn is_running(&self) -> bool {
        !self.is_done() && self.inner.whereabouts(self.work()) == Whereabouts::Running
    }

    /// Whether it was cancelled.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::new(1)?;
    /// let task = pool.submit(|n: u32| n + 1, 1)?;
    /// // It may have begun by then.
    /// assert_eq!(task.cancel(), task.is_cancelled());
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn is_cancelled(&self) -> bool {
        lock(&self.state.progress).was_cancelled
    }

    /// Cancels it if it has not begun: then it will never run, and its result is [`TaskError::Cancelled`]. The same goes for one that waits to be tried again. Whether
    /// it is cancelled now.
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, pool::TaskError};
    /// use std::{thread, time::Duration};
    ///
    /// let pool = Pool::new(1)?;
    /// let long = pool.submit(|()| thread::sleep(Duration::from_millis(100)), ())?;
    /// let next = pool.submit(|()| (), ())?;
    /// assert!(next.cancel());
    /// assert_eq!(next.wait(), Err(TaskError::Cancelled));
    /// assert_eq!(long.wait(), Ok(()));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn cancel(&self) -> bool {
        if !self.is_done() {
            self.inner.call_off(self.work(), &TaskError::Cancelled, Reach::Waiting);
        }
        self.is_cancelled()
    }

    /// Ends it, wherever it is: its result is [`TaskError::Killed`]. If it runs, its worker is killed and replaced; nothing else is lost by that. Does
    /// nothing if it is over.
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, pool::TaskError};
    /// use std::{thread::sleep, time::Duration};
    ///
    /// let pool = Pool::new(1)?;
    /// let stuck = pool.submit(sleep, Duration::MAX)?;
    /// while !stuck.is_running() {
    ///     std::thread::yield_now();
    /// }
    /// stuck.kill();
    /// assert_eq!(stuck.wait(), Err(TaskError::Killed));
    /// assert_eq!(pool.run(|n: u32| n + 1, 1)?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn kill(&self) {
        if !self.is_done() {
            self.inner.call_off(self.work(), &TaskError::Killed, Reach::Running);
        }
    }

    /// Has `callback` called with the result, before anybody who waits has it. Callbacks run one after the other, on a thread of the pool's; a panic in
    /// one is reported and ends there; while one waits for tasks, the next ones go ahead. If the task is over already, it is called here and now, or
    /// right after the one that another thread has had called.
    pub fn on_done(&self, callback: impl FnOnce(&Result<R, TaskError>) + Send + 'static) {
        let mut progress = lock(&self.state.progress);
        if !self.is_done() || progress.is_lent {
            progress.callbacks.push(Box::new(callback));
            return;
        }
        let Some(result) = progress.result.take() else { return };
        progress.is_lent = true;
        drop(progress);
        contain(|| callback(&result));
        self.state.give_back(result);
    }
}

impl<R: DeserializeOwned + Send + 'static> Future for Task<R> {
    type Output = Result<R, TaskError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut progress = lock(&self.state.progress);
        if !self.is_done() {
            match &mut progress.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        drop(progress);
        Poll::Ready(self.take())
    }
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = lock(&self.state.progress);
        match &progress.result {
            Some(Ok(_)) => f.write_str("Task(returned)"),
            Some(Err(TaskError::Cancelled)) => f.write_str("Task(cancelled)"),
            Some(Err(error)) => write!(f, "Task(failed: {error})"),
            None if progress.is_settled => f.write_str("Task(done)"),
            None => {
                drop(progress);
                f.write_str(match self.inner.whereabouts(self.work()) {
                    Whereabouts::Waiting => "Task(pending)",
                    Whereabouts::Running => "Task(running)",
                    Whereabouts::Over => "Task(done)",
                })
            }
        }
    }
}
