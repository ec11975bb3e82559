//! `Mutex`: data that only the holder of a lock can reach.
#![allow(unsafe_code, reason = "hands out references to what a lock protects")]

use super::{
    error::LockError,
    lock::{Lock, LockGuard},
};
use crate::{
    primitive::UnsafeCell,
    shm::world::{Operation, Site},
    sys::clock::Deadline,
};
use core::{
    fmt,
    ops::{Deref, DerefMut},
    time::Duration,
};

/// Data that one thread of all processes at a time can reach.
///
/// The data is behind the lock: there is no way to it but through a guard. Who gets the lock next is not determined; everything
/// that was written before a release is visible after the acquisition that follows.
///
/// **When the holder dies**, however it dies, the lock is free for the next one within a moment, but the data may be half-changed. So from
/// then on every plain acquisition reports [`LockError::Poisoned`], until somebody makes the data whole:
/// [`lock_or_repair`](Self::lock_or_repair), [`lock_or_replace`](Self::lock_or_replace), or
/// [`clear_poison`](Self::clear_poison) if it is known to be. The same holds if a guard is dropped by a panic. Processes that the dead one had
/// lent parts of the data to are gone before anybody gets the lock. Where half-changed data must not come up at all, use a
/// [`Value`](super::Value).
///
/// # Examples
/// ```
/// use psync::Mutex;
///
/// let balance = Mutex::new(100_i64);
/// *balance.lock()? -= 30;
/// assert_eq!(*balance.lock()?, 70);
/// # Ok::<(), psync::LockError>(())
/// ```
///
/// A process that ends with the mutex in its hands:
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn half_a_change(parts_and_sum: &Mutex<[u32; 3]>) {
///     let mut data = parts_and_sum.lock().expect("nobody has died yet");
///     data[0] += 10;
///     std::process::exit(1);
/// }
///
/// let data = Shared::new(Mutex::new([3, 4, 7]))?;
/// let process = half_a_change::spawn(&data)?;
/// process.wait();
/// let died = LockError::Poisoned { pid: process.pid(), cause: PoisonCause::Died };
/// assert_eq!(data.lock().unwrap_err(), died);
/// assert_eq!(*data.lock_or_repair(|data| data[2] = data[0] + data[1])?, [13, 4, 17]);
/// assert!(data.lock().is_ok());
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::{LockError, Mutex};
/// use std::time::Duration;
///
/// let sum = Mutex::new(7);
/// *sum.lock_timeout(Duration::from_secs(1))? += 1;
///
/// // A holder that panics leaves the lock poisoned.
/// let _ = std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let _held = sum.lock();
///         panic!("half done");
///     })
///     .join()
/// });
/// assert!(sum.is_poisoned());
/// assert!(matches!(sum.lock(), Err(LockError::Poisoned { .. })));
/// assert_eq!(*sum.lock_or_replace(9)?, 9);
/// sum.clear_poison(); // nothing to clear any more
/// # Ok::<(), LockError>(())
/// ```
#[repr(C)]
pub struct Mutex<T> {
    lock: Lock,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached only through a guard, of which there is one at a time (UNSAFE.md, L1).
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free mutex around `data`.
    pub const fn new(data: T) -> Self {
        Self { lock: Lock::new(), data: UnsafeCell::new(data) }
    }

    /// Acquires the mutex, waiting until it is free.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if a holder died or panicked; [`LockError::Deadlock`] at once if this thread holds the mutex, and within a second if
    /// whoever holds it waits, perhaps over others, for something that this thread holds.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Lock::lock`")]
    #[track_caller]
    pub fn lock(&self) -> Result<MutexGuard<'_, T>, LockError> {
        Ok(self.guard(self.lock.lock_in::<Self>()?))
    }

    /// Acquires the mutex if it is free.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if it is not, [`LockError::Poisoned`] if a holder died or panicked.
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, LockError> {
        Ok(self.guard(self.lock.try_lock()?))
    }

    /// Acquires the mutex, waiting until it is free or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], [`LockError::Poisoned`] if a holder died or panicked, [`LockError::Deadlock`] at once if this thread holds the mutex.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<MutexGuard<'_, T>, LockError> {
        Ok(self.guard(self.lock.lock_timeout_in::<Self>(timeout)?))
    }

    /// Acquires the mutex; if it is poisoned, has `repair` make the data whole and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`lock`](Self::lock).
    ///
    /// # Panics
    /// If `repair` does; the mutex stays poisoned then.
    ///
    /// # Examples
    /// ```
    /// use psync::Mutex;
    ///
    /// struct Order { net: u32, tax: u32, total: u32 }
    /// let order = Mutex::new(Order { net: 100, tax: 20, total: 120 });
    /// // Whoever was killed may have changed the parts, but not yet the sum.
    /// let order = order.lock_or_repair(|order| order.total = order.net + order.tax)?;
    /// assert_eq!(order.total, 120);
    /// # Ok::<(), psync::LockError>(())
    /// ```
    #[track_caller]
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut T),
    ) -> Result<MutexGuard<'_, T>, LockError> {
        let site = Site::here::<Self>(Operation::Lock);
        let mut guard = self.guard(self.lock.take(Deadline::NEVER, site)?);
        if guard.lock.is_poisoned() {
            repair(&mut guard);
            self.clear_poison();
        }
        Ok(guard)
    }

    /// Acquires the mutex; if it is poisoned, replaces the data by `sound` and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Deadlock`], as [`lock`](Self::lock).
    #[track_caller]
    pub fn lock_or_replace(&self, sound: T) -> Result<MutexGuard<'_, T>, LockError> {
        self.lock_or_repair(|data| *data = sound)
    }

    /// Whether somebody holds the mutex at this moment.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Whether a holder died or panicked and nobody has made the data whole since.
    ///
    /// A death counts as soon as the kernel has reported it, which is before anybody learns that the process has ended.
    pub fn is_poisoned(&self) -> bool {
        self.lock.is_poisoned()
    }

    /// Declares the data sound, after a death that nobody has met yet as well. Needs no lock: whoever calls it has to know.
    pub fn clear_poison(&self) {
        self.lock.clear_poison();
    }

    /// The data, which nobody else can reach while `self` is borrowed for this.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// The data.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    #[inline]
    fn guard<'a>(&'a self, lock: LockGuard<'a>) -> MutexGuard<'a, T> {
        MutexGuard { data: &self.data, lock }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock.describe("Mutex", f)
    }
}

/// A held [`Mutex`] and the way to its data. Dropping it releases the mutex, and poisons it if a panic does so.
///
/// # Examples
/// ```
/// use psync::Mutex;
///
/// let words = Mutex::new([1, 2]);
/// let mut guard = words.lock()?;
/// guard[0] = 3;
/// drop(guard); // others may have it
/// assert_eq!(*words.lock()?, [3, 2]);
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MutexGuard<'a, T> {
    data: &'a UnsafeCell<T>,
    lock: LockGuard<'a>,
}

// SAFETY: a shared guard gives shared access to the data, nothing else.
unsafe impl<T: Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T> MutexGuard<'a, T> {
    pub(super) const fn lock_guard(&self) -> &LockGuard<'a> {
        &self.lock
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `self.lock` is the held lock of this data (UNSAFE.md, L1).
        unsafe { &*self.data.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed for this alone.
        unsafe { &mut *self.data.get() }
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{PoisonCause, testing::watchdog};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn threads_add_up() {
        let _watchdog = watchdog("threads_add_up");
        let sum = Mutex::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        *sum.lock().expect("nobody dies") += 1;
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 80_000);
    }

    #[test]
    fn poisoned_data_is_replaced_once() {
        let mutex = Mutex::new(1);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            *mutex.lock().expect("free") = 2;
            let _guard = mutex.lock().expect("free");
            panic!("with the lock");
        }));
        let error = mutex.lock().expect_err("poisoned");
        assert!(matches!(error, LockError::Poisoned { cause: PoisonCause::Panicked, .. }));
        assert_eq!(*mutex.lock_or_replace(7).expect("free"), 7);
        assert_eq!(*mutex.lock_or_replace(9).expect("free"), 7);
        assert_eq!(*mutex.lock().expect("sound"), 7);
    }

    #[test]
    fn a_guard_that_lives_through_a_panic_of_before_does_not_poison() {
        struct LocksInDrop<'a>(&'a Mutex<u32>);
        impl Drop for LocksInDrop<'_> {
            fn drop(&mut self) {
                *self.0.lock().expect("free") += 1;
            }
        }
        let mutex = Mutex::new(0);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _drop = LocksInDrop(&mutex);
            panic!("outside the lock");
        }));
        assert_eq!(*mutex.lock().expect("not poisoned"), 1);
    }

    #[test]
    fn debug_names_the_owner() {
        let mutex = Mutex::new(5);
        assert_eq!(format!("{mutex:?}"), "Mutex(free)");
        let guard = mutex.lock().expect("free");
        assert_eq!(format!("{guard:?} {guard}"), "5 5");
        assert!(format!("{mutex:?}").contains(&format!("process {}", std::process::id())));
    }
}
