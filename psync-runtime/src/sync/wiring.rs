//! What the wiring of `#[process]` does around a function's body.

use super::{
    Array, ArrayGuard, Barrier, Event, Lock, LockError, LockGuard, Mutex, MutexGuard, Permit,
    ReentrantGuard, ReentrantMutex, Semaphore,
};
use crate::shm::{Shared, ShmSafe};
use core::fmt::Display;

/// `wait(event)`.
#[track_caller]
pub fn wait(event: &Event) {
    event.wait();
}

/// `acquire(semaphore)`: the permit is held for the body.
///
/// # Panics
/// If it cannot be acquired.
#[track_caller]
pub fn acquire(semaphore: &Semaphore) -> Permit<'_> {
    match semaphore.acquire() {
        Ok(permit) => permit,
        Err(error) => give_up("acquire", &error),
    }
}

/// `barrier(barrier)`.
///
/// # Panics
/// If the barrier is broken.
#[track_caller]
pub fn barrier(barrier: &Barrier) {
    if let Err(error) = barrier.wait() {
        give_up("barrier", &error)
    }
}

/// `set(event)`: sets it when the body has ended, also by a panic.
pub fn set_after(event: &Event) -> SetAfter<'_> {
    SetAfter(event)
}

/// See [`set_after`].
#[must_use]
#[derive(Debug)]
pub struct SetAfter<'a>(&'a Event);

impl Drop for SetAfter<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// `lock(expr as name)`: held for the body.
///
/// # Panics
/// If the lock is poisoned, or held by this thread.
#[track_caller]
pub fn lock<L: Lockable + ?Sized>(lock: &L) -> L::Guard<'_> {
    lock.lock_for_body()
}

/// What `lock(..)` can name.
#[diagnostic::on_unimplemented(
    message = "`lock(..)` cannot lock a `{Self}`",
    label = "this is no lock",
    note = "it takes a `Mutex`, a `ReentrantMutex`, a `Lock` or an `Array`; a `Semaphore` goes into `acquire(..)`, an `Event` into `wait(..)` or `set(..)`, a `Barrier` into `barrier(..)`"
)]
pub trait Lockable {
    /// What `name` is in the body.
    type Guard<'a>
    where
        Self: 'a;
    #[doc(hidden)]
    #[track_caller]
    fn lock_for_body(&self) -> Self::Guard<'_>;
}

#[track_caller]
fn or_panic<G>(result: Result<G, LockError>) -> G {
    match result {
        Ok(guard) => guard,
        Err(error) => give_up("lock", &error),
    }
}

/// A body that cannot have what it declares cannot run. The place is that of the declaration.
#[cold]
#[track_caller]
fn give_up(what: &str, error: &dyn Display) -> ! {
    panic!("`{what}` of this function: {error}")
}

impl<T: 'static> Lockable for Mutex<T> {
    type Guard<'a> = MutexGuard<'a, T>;

    #[track_caller]
    fn lock_for_body(&self) -> MutexGuard<'_, T> {
        or_panic(self.lock())
    }
}

impl<T: 'static> Lockable for ReentrantMutex<T> {
    type Guard<'a> = ReentrantGuard<'a, T>;

    #[track_caller]
    fn lock_for_body(&self) -> ReentrantGuard<'_, T> {
        or_panic(self.lock())
    }
}

impl Lockable for Lock {
    type Guard<'a> = LockGuard<'a>;

    #[track_caller]
    fn lock_for_body(&self) -> LockGuard<'_> {
        or_panic(self.lock())
    }
}

impl<T: ShmSafe + Copy> Lockable for Array<T> {
    type Guard<'a> = ArrayGuard<'a, T>;

    #[track_caller]
    fn lock_for_body(&self) -> ArrayGuard<'_, T> {
        or_panic(self.lock())
    }
}

impl<L: Lockable + ?Sized> Lockable for &L {
    type Guard<'a>
        = L::Guard<'a>
    where
        Self: 'a;

    #[track_caller]
    fn lock_for_body(&self) -> L::Guard<'_> {
        (**self).lock_for_body()
    }
}

impl<L: Lockable + ShmSafe> Lockable for Shared<L> {
    type Guard<'a>
        = L::Guard<'a>
    where
        Self: 'a;

    #[track_caller]
    fn lock_for_body(&self) -> L::Guard<'_> {
        (**self).lock_for_body()
    }
}
