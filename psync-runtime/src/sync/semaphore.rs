//! `Semaphore`: so many at a time, and permits that come back from the dead.

use super::raw::{self, Denied, Identity, RawSemaphore, Release};
use crate::{
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::{fmt, time::Duration};

/// A number of permits that all processes share.
///
/// A permit is acquired, and given back when it is dropped. Who gets the next one is not determined; everything
/// that was written before a permit is given back is visible after an acquisition that follows.
///
/// **When a process dies**, the permits that it holds come back; those that it has [forgotten](Permit::forget) do not. That works between
/// processes of one program. Permits that were leaked stay their process's, also when the thread ends.
///
/// Anybody might give a permit back or make one, so waiting for a permit is never reported as a deadlock.
///
/// # Examples
/// ```
/// use psync::Semaphore;
///
/// let ports = Semaphore::new(2);
/// let first = ports.acquire()?;
/// let second = ports.acquire()?;
/// assert!(ports.try_acquire().is_err());
/// drop(first);
/// assert_eq!(ports.available(), 1);
/// # Ok::<(), psync::AcquireError>(())
/// ```
///
/// A process that ends with a permit:
/// ```
/// use psync::prelude::*;
///
/// #[process(acquire(ports))]
/// fn ends_early(ports: &Semaphore) {
///     std::process::exit(1);
/// }
///
/// let ports = Shared::new(Semaphore::new(1))?;
/// ends_early::spawn(&ports)?.wait();
/// let permit = ports.acquire()?;
/// # drop(permit);
/// # Ok::<(), psync::Error>(())
/// ```
#[repr(transparent)]
pub struct Semaphore(RawSemaphore);

impl Semaphore {
    /// A semaphore with `permits` free permits, to which [`release`](Self::release) may add more.
    pub const fn new(permits: u32) -> Self {
        Self(RawSemaphore::new(permits, false))
    }

    /// A semaphore with `permits` free permits, which refuses a [`release`](Self::release) that would make more than that free.
    pub const fn bounded(permits: u32) -> Self {
        Self(RawSemaphore::new(permits, true))
    }

    /// Takes a permit, waiting until one is free.
    ///
    /// # Errors
    /// [`AcquireError::Exhausted`], if it cannot be written down whose it is.
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit<'_>, AcquireError> {
        match self.0.acquire_free() {
            Some(holder) => Ok(self.permit(holder)),
            None => self.acquire_late(Deadline::NEVER, AcquireError::TimedOut),
        }
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`] if none is, [`AcquireError::Exhausted`].
    #[inline]
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit<'_>, AcquireError> {
        match self.0.acquire_free() {
            Some(holder) => Ok(self.permit(holder)),
            None => self.acquire_late(Deadline::after(Duration::ZERO), AcquireError::WouldBlock),
        }
    }

    /// Takes a permit, waiting until one is free or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`AcquireError::TimedOut`], [`AcquireError::Exhausted`].
    ///
    /// # Examples
    /// ```
    /// use psync::{AcquireError, Semaphore};
    /// use std::time::Duration;
    ///
    /// let seat = Semaphore::new(1);
    /// let _taken = seat.acquire()?;
    /// assert!(seat.acquire_timeout(Duration::from_millis(1)).is_err());
    /// # Ok::<(), AcquireError>(())
    /// ```
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, AcquireError> {
        match self.0.acquire_free() {
            Some(holder) => Ok(self.permit(holder)),
            None => self.acquire_late(Deadline::after(timeout), AcquireError::TimedOut),
        }
    }

    #[inline]
    fn permit(&self, holder: Identity) -> Permit<'_> {
        Permit { semaphore: self, holder, pid: raw::me().pid }
    }

    #[cold]
    #[track_caller]
    fn acquire_late(
        &self,
        deadline: Deadline,
        none: AcquireError,
    ) -> Result<Permit<'_>, AcquireError> {
        let blocking = Blocking::new(deadline, Some(Site::here::<Self>(Operation::Acquire)));
        match self.0.acquire(&blocking) {
            Ok(holder) => Ok(self.permit(holder)),
            Err(Denied::TimedOut) => Err(none),
            Err(Denied::Full) => Err(AcquireError::Exhausted),
        }
    }

    /// Makes `permits` more permits free, without giving one back: the counterpart of [`Permit::forget`], in any process.
    ///
    /// # Errors
    /// [`ReleaseError`], and nothing changes, if more permits would be free than a [bounded](Self::bounded) semaphore began with,
    /// or than can be counted. Permits that are still held when others take their place in a bounded semaphore cease to exist when they are given
    /// back.
    ///
    /// # Examples
    /// ```
    /// use psync::Semaphore;
    ///
    /// let done = Semaphore::new(0);
    /// done.release(3)?;
    /// assert_eq!(done.available(), 3);
    /// assert!(Semaphore::bounded(1).release(1).is_err());
    /// # Ok::<(), psync::ReleaseError>(())
    /// ```
    pub fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        match self.0.release(permits) {
            Release::Done => Ok(()),
            Release::AboveBound(bound) => Err(ReleaseError { bound }),
        }
    }

    /// How many permits are free at this moment; those of processes that have died are.
    pub fn available(&self) -> u32 {
        self.0.available()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Semaphore({} free)", self.0.glance())
    }
}

/// A permit of a [`Semaphore`], which is given back when this is dropped.
///
/// It is this process's, whichever of its threads has it.
#[must_use = "the permit is given back at once if it is not kept"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    holder: Identity,
    pid: i32,
}

impl Permit<'_> {
    /// Gives the permit up for good: it does not come back, also not when this process dies. [`Semaphore::release`] makes a new
    /// one.
    ///
    /// # Examples
    /// ```
    /// use psync::Semaphore;
    ///
    /// let semaphore = Semaphore::bounded(2);
    /// semaphore.acquire()?.forget();
    /// assert_eq!(semaphore.available(), 1);
    /// semaphore.release(1)?;
    /// assert_eq!(semaphore.available(), 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn forget(self) {
        if self.is_ours() {
            self.semaphore.0.forget(self.holder);
        }
        core::mem::forget(self);
    }

    /// False in a process that was forked with a permit: it is the parent's.
    #[inline]
    fn is_ours(&self) -> bool {
        self.pid == raw::me().pid
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_ours() {
            self.semaphore.0.give_back(self.holder);
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit of {:?}", self.semaphore)
    }
}

/// Why no permit was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum AcquireError {
    /// None was free, and the operation does not wait.
    WouldBlock,
    /// None was free until the time was up.
    TimedOut,
    /// The table of who holds permits is full: more processes hold permits of the program's semaphores than it can tell apart.
    Exhausted,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WouldBlock => "no permit is free",
            Self::TimedOut => "no permit was free until the time was up",
            Self::Exhausted => "the table of permit holders is full",
        })
    }
}

impl core::error::Error for AcquireError {}

/// More permits would be free than the semaphore may have.
///
/// # Examples
/// ```
/// let seats = psync::Semaphore::bounded(2);
/// assert_eq!(seats.release(1).unwrap_err().bound(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ReleaseError {
    bound: u32,
}

impl ReleaseError {
    /// How many permits may be free.
    pub const fn bound(&self) -> u32 {
        self.bound
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} permits of the semaphore would be free", self.bound)
    }
}

impl core::error::Error for ReleaseError {}

crate::error::umbrella!(AcquireError, ReleaseError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::watchdog;

    #[test]
    fn it_counts_as_python_does() {
        let semaphore = Semaphore::new(2);
        let permits = [semaphore.acquire(), semaphore.acquire()];
        assert!(permits.iter().all(Result::is_ok));
        assert_eq!(semaphore.try_acquire().expect_err("none"), AcquireError::WouldBlock);
        let soon = Duration::from_millis(10);
        assert_eq!(semaphore.acquire_timeout(soon).expect_err("none"), AcquireError::TimedOut);
        drop(permits);
        assert_eq!(semaphore.available(), 2);
        assert_eq!((semaphore.release(1), semaphore.release(1)), (Ok(()), Ok(())));
        assert_eq!(semaphore.available(), 4);
        assert!(semaphore.release(u32::MAX).is_err());
    }

    #[test]
    fn a_bounded_one_stays_at_its_start() {
        let semaphore = Semaphore::bounded(2);
        semaphore.acquire().expect("free").forget();
        assert_eq!(semaphore.available(), 1);
        assert_eq!(semaphore.release(1), Ok(()));
        assert_eq!(semaphore.release(1), Err(ReleaseError { bound: 2 }));
        assert_eq!(semaphore.available(), 2);
    }

    #[test]
    fn no_more_than_so_many_at_a_time() {
        use crate::primitive::{AtomicU32, Ordering::SeqCst};
        let _watchdog = watchdog("no_more_than_so_many_at_a_time");
        let (semaphore, inside) = (Semaphore::new(2), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    for _ in 0..4_000 {
                        let _permit = semaphore.acquire().expect("room");
                        assert!(inside.fetch_add(1, SeqCst) < 2);
                        inside.fetch_sub(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!(semaphore.available(), 2);
    }

    #[test]
    fn a_release_of_many_wakes_as_many() {
        let _watchdog = watchdog("a_release_of_many_wakes_as_many");
        let semaphore = Semaphore::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| semaphore.acquire().expect("room").forget());
            }
            semaphore.release(2).expect("unbounded");
            semaphore.release(2).expect("unbounded");
        });
        assert_eq!(semaphore.available(), 0);
    }
}
