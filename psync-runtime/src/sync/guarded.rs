//! What `#[guarded_by]` generates code for: fields that are reachable only while their lock is held.
#![allow(unsafe_code, reason = "refers to what a lock guards")]

use super::{Lock, LockError, LockGuard};
use crate::shm::Guarded;
use core::{
    fmt,
    ops::{Deref, DerefMut},
};

/// A guarded field while its lock is held. It holds the lock too, so that it may be moved out of the guard that it came in.
pub struct Held<'a, T> {
    /// Guarded by the lock of `share`, and in the hands of this `Held` alone.
    pub(super) cell: &'a Guarded<T>,
    pub(super) share: LockGuard<'a>,
}

impl<'a, T> Held<'a, T> {
    /// The hold that it belongs to.
    pub const fn share(&self) -> &LockGuard<'a> {
        &self.share
    }
}

/// Whether `fields` are all that there are of the hold of `guard`. Otherwise some have been exchanged for those of another guard.
pub fn is_whole(guard: &LockGuard<'_>, fields: &[&LockGuard<'_>]) -> bool {
    fields.iter().all(|field| field.is_of_the_same(guard))
        && guard.guards() as usize == fields.len() + 1
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held as long as `self` lives, and the borrow of `self` keeps mutable ones away (L1).
        unsafe { self.cell.get() }
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held as long as `self` lives, and `self` is borrowed mutably (L1).
        unsafe { self.cell.get() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Held<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Held<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Locks; after a death or a panic, `repair` first makes whole what `over` gives access to.
///
/// # Errors
/// [`LockError::Deadlock`] if this thread holds the lock.
#[track_caller]
pub(super) fn lock_or_repair<'a, G>(
    lock: &'a Lock,
    over: impl FnOnce(LockGuard<'a>) -> G,
    repair: impl FnOnce(&mut G),
) -> Result<G, LockError> {
    let (held, poisoned) = lock.lock_any()?;
    let mut guard = over(held);
    if poisoned {
        repair(&mut guard);
        lock.clear_poison();
    }
    Ok(guard)
}
