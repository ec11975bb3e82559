//! `WorkQueue`: jobs that are delivered again until somebody has done them.

use super::{
    core::{Core, Limit, Needs},
    error::{RecvError, SendError},
    hold::Hold,
    incoming::Incoming,
    jobs::{Jobs, Taken},
    message,
    queue::{Queue, fingerprint},
};
use crate::{
    primitive::Ordering,
    shm::{
        transfer::{self, Landings},
        world,
    },
};
use core::{fmt, marker::PhantomData, ops::Deref, time::Duration};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};
use std::sync::Arc;

/// A queue of jobs, each of which is delivered until it is done.
///
/// [`recv`](Self::recv) gives a [`Job`]; it is finished when [`done`](Job::done) is called. A job that is dropped without that, for instance by a
/// panic, or whose process dies, is delivered again. So every job is done at least once, and exactly once if nobody is killed between doing it
/// and saying so.
///
/// It is a handle, like [`Queue`], which says what holds for messages in general.
///
/// # Examples
/// ```
/// use psync::{WorkQueue, spawn};
///
/// let jobs = WorkQueue::bounded(16)?;
/// let worker = spawn(
///     |jobs: WorkQueue<u32>| {
///         while let Ok(job) = jobs.recv() {
///             assert!(*job < 10);
///             job.done();
///         }
///     },
///     jobs.clone(),
/// )?;
/// for n in 0..10 {
///     jobs.send(n)?;
/// }
/// jobs.join();
/// jobs.close();
/// worker.join()?;
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::WorkQueue;
/// use std::time::Duration;
///
/// let jobs = WorkQueue::bounded(1)?;
/// jobs.send_timeout("wash".to_owned(), Duration::from_secs(1))?;
/// let job = jobs.recv_timeout(Duration::from_secs(1))?;
/// assert!(!jobs.join_timeout(Duration::from_millis(1)), "it is not done");
/// job.done();
/// assert!(jobs.join_timeout(Duration::from_secs(1)));
/// # Ok::<(), psync::Error>(())
/// ```
pub struct WorkQueue<T> {
    hold: Hold<true, true>,
    jobs: Jobs,
    dead: Queue<T>,
    carries: PhantomData<fn(T) -> T>,
}

const WORK: u64 = 0x9e37_79b9_7f4a_7c15;

impl<T> WorkQueue<T> {
    const NEEDS: Needs = Needs::other_process::<Self>();

    /// A work queue in which up to `capacity` jobs wait; those in work do not count.
    ///
    /// # Errors
    /// If there is no memory or no descriptor for it, or the capacity is 0.
    pub fn bounded(capacity: usize) -> crate::Result<Self> {
        if capacity == 0 {
            let reason = "a work queue needs room for a job";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason).into());
        }
        Self::create(capacity as u64)
    }

    /// A work queue in which as many jobs wait as there is memory for.
    ///
    /// # Errors
    /// If there is no memory or no descriptor for it.
    pub fn unbounded() -> crate::Result<Self> {
        Self::create(0)
    }

    fn create(capacity: u64) -> crate::Result<Self> {
        let core = Core::create(capacity, fingerprint::<T>() ^ WORK)?;
        core.head().work.is_one.store(1, Ordering::Relaxed);
        let jobs = Jobs::new(core.clone());
        let dead = Queue::unbounded()?;
        Ok(Self { hold: Hold::new(core)?, jobs, dead, carries: PhantomData })
    }

    /// Has jobs be tried no more than `attempts` times, in all processes: what was not done then goes to the
    /// [`dead_letters`](Self::dead_letters). 0 is no limit.
    #[must_use = "it is the queue itself"]
    pub fn with_max_attempts(self, attempts: u32) -> Self {
        self.hold.core().head().work.most_attempts.store(attempts, Ordering::Relaxed);
        self
    }

    /// Where the jobs go that were tried often enough. They count as finished. A job that is given up for the last time is there at once; one whose
    /// holder was killed, when any process next receives from the queue, [joins](Self::join) it or asks it for this or for what is [unfinished](Self::unfinished).
    ///
    /// # Examples
    /// ```
    /// use psync::WorkQueue;
    ///
    /// let jobs = WorkQueue::unbounded()?.with_max_attempts(2);
    /// jobs.send("too hard".to_owned())?;
    /// assert_eq!(jobs.recv()?.attempt(), 1); // dropped undone
    /// assert_eq!(jobs.recv()?.attempt(), 2);
    /// assert_eq!(jobs.dead_letters().recv()?, "too hard");
    /// assert_eq!(jobs.unfinished(), 0);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn dead_letters(&self) -> Queue<T> {
        self.bury();
        self.dead.clone()
    }

    /// Sends what was tried often enough to the dead letters.
    fn bury(&self) {
        self.jobs.bury(|spent| self.dead_letter(&spent));
    }

    fn dead_letter(&self, spent: &Taken) {
        write_off(self.dead.core(), spent, Self::NEEDS);
    }

    /// How many jobs are not done: those that wait, and those in work.
    pub fn unfinished(&self) -> usize {
        self.bury();
        self.jobs.unfinished()
    }

    /// Waits until every job is done that was ever sent.
    ///
    /// # Panics
    /// If that will never be, since whoever could do them waits, directly or not, for this thread, and no other operation is there that has an
    /// [error](crate::sync::DeadlockReport) for it.
    #[track_caller]
    pub fn join(&self) {
        self.join_within(Limit::FOREVER);
    }

    #[track_caller]
    fn join_within(&self, limit: Limit) -> bool {
        match self.jobs.join(Self::NEEDS, limit, |spent| self.dead_letter(&spent)) {
            Ok(done) => done,
            Err(report) => panic!("the jobs will never be done: {report}"),
        }
    }

    /// The same until `timeout` is over; whether all were done. With a timeout of zero, looks once.
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.join_within(Limit::after(timeout))
    }

    /// How many jobs wait at this moment.
    pub fn len(&self) -> usize {
        usize::try_from(self.hold.core().head().len()).unwrap_or(usize::MAX)
    }

    /// Whether none waits at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the queue, for all who hold it: nothing can be sent any more. What is there is still delivered; receivers get
    /// [`RecvError::Closed`] when nothing waits and no other process has a job that might come back.
    pub fn close(&self) {
        self.hold.core().close();
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn core(&self) -> &Core {
        self.hold.core()
    }

    pub(crate) fn incoming(&self) -> Incoming<'_> {
        Incoming::of_jobs(self.hold.core(), Self::NEEDS, &self.jobs)
    }
}

impl<T: Serialize + 'static> WorkQueue<T> {
    /// Sends a job, waiting while there is no room.
    ///
    /// # Errors
    /// The value comes back, as with [`Queue::send`].
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::FOREVER)
    }

    /// Sends a job if there is room for it.
    ///
    /// # Errors
    /// As [`Queue::try_send`].
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::Try)
    }

    /// Sends a job, waiting for room until `timeout` is over.
    ///
    /// # Errors
    /// As [`Queue::send_timeout`].
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::after(timeout))
    }

    #[track_caller]
    fn send_within(&self, value: T, limit: Limit) -> Result<(), SendError<T>> {
        match message::send(self.hold.core(), &value, Self::NEEDS, limit) {
            Ok(()) => Ok(()),
            Err((kind, None)) => Err(SendError::new(value, kind)),
            Err((kind, Some(reason))) => Err(SendError::because(value, kind, reason)),
        }
    }
}

impl<T: DeserializeOwned + 'static> WorkQueue<T> {
    /// Receives a job, waiting until there is one: one that came back before one that is new.
    ///
    /// # Errors
    /// [`RecvError::Closed`], [`RecvError::Disconnected`], [`RecvError::Deadlock`]; [`RecvError::Decode`], and then the job counts as finished, or as tried if
    /// [attempts are limited](Self::with_max_attempts).
    #[track_caller]
    pub fn recv(&self) -> Result<Job<T>, RecvError> {
        self.receive_within(Limit::FOREVER)
    }

    /// Receives a job if there is one.
    ///
    /// # Errors
    /// [`RecvError::Empty`] if there is none, otherwise as [`recv`](Self::recv).
    #[track_caller]
    pub fn try_recv(&self) -> Result<Job<T>, RecvError> {
        self.receive_within(Limit::Try)
    }

    /// Receives a job, waiting for one until `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); [`RecvError::TimedOut`] if there was none.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Job<T>, RecvError> {
        self.receive_within(Limit::after(timeout))
    }

    #[track_caller]
    fn receive_within(&self, limit: Limit) -> Result<Job<T>, RecvError> {
        let taken = self
            .jobs
            .receive(Self::NEEDS, limit, |spent| self.dead_letter(&spent))
            .map_err(|lack| message::lacking(&lack, limit))?;
        let claim = Claim {
            jobs: self.jobs.clone(),
            dead: Arc::clone(self.dead.core()),
            needs: Self::NEEDS,
            index: taken.index,
            pid: world::me().pid,
        };
        // Handles in it stay on their sender's account until it is done: whoever is killed before that had them for a while only.
        let (decoded, landings) =
            transfer::postpone(|| message::decode_whole(&taken.bytes, taken.note));
        match decoded {
            Ok(value) => Ok(Job { value, attempt: taken.attempt, claim, landings }),
            Err(error) => {
                let head = self.hold.core().head();
                if head.work.most_attempts.load(Ordering::Relaxed) == 0 && claim.finish() {
                    landings.land();
                }
                Err(error)
            }
        }
    }
}

/// Puts a job where the dead letters are.
fn write_off(dead: &Core, spent: &Taken, needs: Needs) {
    // Never full. If there is no memory for it, it is lost like any other message would be refused.
    let _ = dead.send(&[&spent.bytes], spent.note, needs, Limit::FOREVER);
}

/// The right to finish a job. Gives it up if it is dropped.
#[derive(Debug)]
struct Claim {
    jobs: Jobs,
    /// Where it goes if that was the last attempt.
    dead: Arc<Core>,
    needs: Needs,
    index: usize,
    pid: i32,
}

impl Claim {
    /// Whether it was ours to finish, and not that of the process of which this one is a forked copy.
    fn finish(mut self) -> bool {
        let is_ours = self.pid == world::me().pid;
        if is_ours {
            self.jobs.finish(self.index);
        }
        // Nothing is left to give up.
        self.pid = 0;
        is_ours
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Not in a process that was forked with it: it is the parent's.
        if self.pid == world::me().pid {
            self.jobs.give_up(self.index);
            self.jobs.bury(|spent| write_off(&self.dead, &spent, self.needs));
        }
    }
}

/// A job of a [`WorkQueue`], to be done by whoever has it. Dropped without [`done`](Self::done), it is delivered again.
///
/// # Examples
/// ```
/// let jobs = psync::WorkQueue::unbounded()?;
/// jobs.send("wash".to_owned())?;
/// drop(jobs.recv()?); // not done, so it comes again
/// let job = jobs.recv()?;
/// assert_eq!((job.as_str(), job.attempt()), ("wash", 2));
/// job.done();
/// # Ok::<(), psync::Error>(())
/// ```
#[must_use = "it is delivered again if it is dropped"]
pub struct Job<T> {
    value: T,
    attempt: u32,
    claim: Claim,
    /// Of the handles in it.
    landings: Landings,
}

impl<T> Job<T> {
    /// The job is finished.
    pub fn done(self) {
        if self.claim.finish() {
            self.landings.land();
        }
    }

    /// How often it was delivered, this time included.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl<T> Deref for Job<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("value", &self.value)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl<T> Clone for WorkQueue<T> {
    fn clone(&self) -> Self {
        Self {
            hold: self.hold.clone(),
            jobs: self.jobs.clone(),
            dead: self.dead.clone(),
            carries: PhantomData,
        }
    }
}

impl<T> fmt::Debug for WorkQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkQueue<{}>({} waiting)", core::any::type_name::<T>(), self.len())
    }
}

/// How a handle crosses.
#[derive(Serialize, Deserialize)]
struct Crossing<H, Q>(H, Q);

impl<T> Serialize for WorkQueue<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Crossing(self.hold.as_serialize(fingerprint::<T>() ^ WORK), &self.dead)
            .serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for WorkQueue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Crossing(parts, dead) = Crossing::deserialize(deserializer)?;
        let hold = Hold::from_parts(parts, fingerprint::<T>() ^ WORK).map_err(D::Error::custom)?;
        let jobs = Jobs::new(hold.core().clone());
        Ok(Self { hold, jobs, dead, carries: PhantomData })
    }
}
