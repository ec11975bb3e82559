//! `ReentrantMutex`: a mutex that its holder may acquire again.
#![allow(unsafe_code, reason = "hands out references to what a lock protects")]

use super::{
    error::LockError,
    lock::{Lock, LockGuard},
    raw::{Sleepers, Sleeping},
};
use crate::{
    primitive::UnsafeCell,
    shm::world::{Operation, Site},
    sys::clock::Deadline,
};
use core::{fmt, marker::PhantomData, mem::ManuallyDrop, ops::Deref, time::Duration};

/// A mutex that the thread which holds it may acquire again; it is free when all its guards are gone.
///
/// Since one thread may have several guards, they give shared access to the data: put a `Cell` or a [`Value`](super::Value) inside, or use it without
/// data, for something elsewhere. The owner is a thread of a process, so another thread of the same process waits.
///
/// Who gets the mutex next is not determined; everything that was written before its last guard was dropped is visible after the acquisition that
/// follows.
///
/// **When the holder dies**, at whatever depth, the mutex is free for the next one within a moment, and poisoned: see [`Mutex`](super::Mutex). The same
/// holds if any of its guards is dropped by a panic.
///
/// # Examples
/// ```
/// use psync::ReentrantMutex;
/// use std::cell::Cell;
///
/// let total = ReentrantMutex::new(Cell::new(1));
/// let outer = total.lock()?;
/// let inner = total.lock()?;
/// inner.set(inner.get() + 1);
/// assert_eq!((outer.get(), inner.depth()), (2, 2));
/// # Ok::<(), psync::LockError>(())
/// ```
///
/// Functions that take the mutex themselves and call each other, in several processes:
/// ```
/// use psync::prelude::*;
///
/// #[shared]
/// struct Account {
///     turn: ReentrantMutex<()>,
///     cents: Value<i64>,
/// }
///
/// #[process(lock(account.turn as _))]
/// fn pay_in(account: &Account, cents: i64) {
///     account.cents.update(|sum| sum + cents);
/// }
///
/// #[process(lock(account.turn as _))]
/// fn pay_in_twice(account: &Account, cents: i64) {
///     pay_in(account, cents);
///     pay_in(account, cents);
/// }
///
/// let account = Shared::new(Account::default())?;
/// parallel! { pay_in(&account, 1), pay_in_twice(&account, 10) }?;
/// assert_eq!(account.cents.get(), 21);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::ReentrantMutex;
/// use std::time::Duration;
///
/// let mutex = ReentrantMutex::new(7);
/// assert_eq!(*mutex.lock_timeout(Duration::from_secs(1))?, 7);
///
/// // A holder that panics leaves the lock poisoned.
/// let _ = std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let _held = mutex.lock();
///         panic!("half done");
///     })
///     .join()
/// });
/// assert!(mutex.is_poisoned());
/// assert_eq!(*mutex.lock_or_replace(8)?, 8);
/// mutex.clear_poison(); // nothing to clear any more
/// # Ok::<(), psync::LockError>(())
/// ```
#[repr(C)]
pub struct ReentrantMutex<T> {
    lock: Lock,
    /// Who has guards besides the one that waits for a `Condvar`: they may refer to the data.
    sleepers: Sleepers,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached only through guards, all of which are one thread's at a time (UNSAFE.md, L1).
unsafe impl<T: Send> Sync for ReentrantMutex<T> {}

impl<T> ReentrantMutex<T> {
    /// A free mutex around `data`.
    pub const fn new(data: T) -> Self {
        Self { lock: Lock::new(), sleepers: Sleepers::new(), data: UnsafeCell::new(data) }
    }

    /// Acquires the mutex, waiting until it is free or this thread's.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if a holder died or panicked; [`LockError::Deadlock`] within a second if whoever holds it waits, perhaps over others, for
    /// something that this thread holds.
    ///
    /// # Panics
    /// If this thread has 2,147,483,647 guards of it already.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Lock::lock`")]
    #[track_caller]
    pub fn lock(&self) -> Result<ReentrantGuard<'_, T>, LockError> {
        match self.lock.lock_again() {
            Some(again) => Ok(self.guard(again.into_sound()?)),
            None => Ok(self.guard(self.lock.lock_in::<Self>()?)),
        }
    }

    /// Acquires the mutex if it is free or this thread's.
    ///
    /// # Errors
    /// [`LockError::WouldBlock`] if it is another's, [`LockError::Poisoned`] if a holder died or panicked.
    pub fn try_lock(&self) -> Result<ReentrantGuard<'_, T>, LockError> {
        match self.lock.lock_again() {
            Some(again) => Ok(self.guard(again.into_sound()?)),
            None => Ok(self.guard(self.lock.try_lock()?)),
        }
    }

    /// Acquires the mutex, waiting until it is free or this thread's, or `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// [`LockError::TimedOut`], [`LockError::Poisoned`] if a holder died or panicked.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ReentrantGuard<'_, T>, LockError> {
        match self.lock.lock_again() {
            Some(again) => Ok(self.guard(again.into_sound()?)),
            None => Ok(self.guard(self.lock.lock_timeout_in::<Self>(timeout)?)),
        }
    }

    /// Acquires the mutex; if it is poisoned, has `repair` make the data whole and lifts the poison.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if this thread has other guards of it, which see the data; [`LockError::Deadlock`] as [`lock`](Self::lock).
    ///
    /// # Panics
    /// If `repair` does; the mutex stays poisoned then.
    #[track_caller]
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut T),
    ) -> Result<ReentrantGuard<'_, T>, LockError> {
        if let Some(again) = self.lock.lock_again() {
            return Ok(self.guard(again.into_sound()?));
        }
        let site = Site::here::<Self>(Operation::Lock);
        let lock = self.lock.take(Deadline::NEVER, site)?;
        if let Some(LockError::Poisoned { pid, .. }) = lock.poison() {
            if self.sleepers.are_there(pid) {
                return Ok(self.guard(lock.into_sound()?));
            }
            // SAFETY: this is the only guard of a hold, and it is borrowed for this; and no thread that has given the mutex up for a while has others (UNSAFE.md, L1).
            repair(unsafe { &mut *self.data.get() });
            self.clear_poison();
        }
        Ok(self.guard(lock))
    }

    /// Acquires the mutex; if it is poisoned, replaces the data by `sound` and lifts the poison.
    ///
    /// # Errors
    /// As [`lock_or_repair`](Self::lock_or_repair).
    #[track_caller]
    pub fn lock_or_replace(&self, sound: T) -> Result<ReentrantGuard<'_, T>, LockError> {
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
    fn guard<'a>(&'a self, lock: LockGuard<'a>) -> ReentrantGuard<'a, T> {
        ReentrantGuard { mutex: self, lock: ManuallyDrop::new(lock), data: PhantomData }
    }
}

impl<T: Default> Default for ReentrantMutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock.describe_levels("ReentrantMutex", f)
    }
}

/// One of the guards of a held [`ReentrantMutex`]. The mutex is free when the last of them is dropped, in whatever order; if a panic drops one, it is
/// poisoned.
///
/// # Examples
/// ```
/// let mutex = psync::ReentrantMutex::new(7);
/// let outer = mutex.lock()?;
/// let inner = mutex.lock()?;
/// assert_eq!(inner.depth(), 2);
/// drop(inner);
/// assert_eq!(*outer, 7);
/// # Ok::<(), psync::LockError>(())
/// ```
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct ReentrantGuard<'a, T> {
    mutex: &'a ReentrantMutex<T>,
    /// Ended by hand, since an inner level has less to do.
    lock: ManuallyDrop<LockGuard<'a>>,
    /// Not `Sync` by itself.
    data: PhantomData<&'a UnsafeCell<T>>,
}

impl<T> Drop for ReentrantGuard<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `Lock::lock`")]
    fn drop(&mut self) {
        self.lock.end_level();
    }
}

// SAFETY: a shared guard gives shared access to the data, nothing else.
unsafe impl<T: Sync> Sync for ReentrantGuard<'_, T> {}

impl<'a, T> ReentrantGuard<'a, T> {
    /// How many guards of the mutex this thread has.
    pub fn depth(&self) -> usize {
        self.lock.guards() as usize
    }

    pub(super) fn lock_guard(&self) -> &LockGuard<'a> {
        &self.lock
    }

    /// Before the mutex is given up for a while: other guards of this thread, if there are any, may refer to the data all the time.
    pub(super) fn sleep_with_others(&self) -> Option<Sleeping<'_>> {
        if self.depth() > 1 { self.mutex.sleepers.join() } else { None }
    }
}

impl<T> Deref for ReentrantGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread holds the lock of this data, and gives out shared references only (UNSAFE.md, L1).
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: fmt::Debug> fmt::Debug for ReentrantGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for ReentrantGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{PoisonCause, testing::watchdog};
    use core::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn it_is_free_when_its_last_guard_is_gone_in_whatever_order() {
        let mutex = ReentrantMutex::new(5);
        let one = mutex.lock().expect("free");
        let two = mutex.try_lock().expect("ours");
        let three = mutex.lock_timeout(Duration::ZERO).expect("ours");
        assert_eq!((three.depth(), *three), (3, 5));
        let debug = format!("{mutex:?}");
        assert!(debug.contains("3 times"), "{debug}");
        drop(one);
        assert_eq!(two.depth(), 2);
        drop(three);
        drop(mutex.lock_or_replace(9));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(mutex.try_lock().expect_err("another's"), LockError::WouldBlock);
            });
        });
        drop(two);
        assert_eq!(format!("{mutex:?}"), "ReentrantMutex(free)");
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(*mutex.lock().expect("free"), 5));
        });
    }

    #[test]
    fn threads_take_turns() {
        let _watchdog = watchdog("threads_take_turns");
        let sum = ReentrantMutex::new(Cell::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let outer = sum.lock().expect("sound");
                        let seen = outer.get();
                        let inner = sum.lock().expect("ours");
                        inner.set(seen + 1);
                    }
                });
            }
        });
        assert_eq!(sum.into_inner().get(), 30_000);
    }

    #[test]
    fn a_panic_in_an_inner_level_poisons_all() {
        let mutex = ReentrantMutex::new(1);
        let outer = mutex.lock().expect("free");
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _inner = mutex.lock().expect("ours");
            panic!("within");
        }));
        let pid = std::process::id().cast_signed();
        let poisoned = LockError::Poisoned { pid, cause: PoisonCause::Panicked };
        assert_eq!(mutex.lock().expect_err("poisoned"), poisoned);
        assert_eq!(mutex.lock_or_replace(2).expect_err("another guard sees it"), poisoned);
        assert_eq!(outer.depth(), 1);
        drop(outer);
        assert_eq!(mutex.lock().expect_err("poisoned"), poisoned);
        assert_eq!(*mutex.lock_or_replace(2).expect("free"), 2);
        assert!(mutex.lock().is_ok());
    }

    #[test]
    fn a_thread_that_ends_deep_inside_leaves_it_to_the_next() {
        let _watchdog = watchdog("a_thread_that_ends_deep_inside_leaves_it_to_the_next");
        let mutex = ReentrantMutex::new(1);
        std::thread::scope(|scope| {
            scope.spawn(|| core::mem::forget([mutex.lock(), mutex.lock(), mutex.lock()]));
        });
        assert!(matches!(mutex.lock(), Err(LockError::Poisoned { cause: PoisonCause::Died, .. })));
        let guard = mutex.lock_or_repair(|data| *data += 1).expect("free");
        assert_eq!((*guard, guard.depth()), (2, 1));
    }
}
