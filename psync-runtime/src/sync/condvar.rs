//! `Condvar`: waiting for what others do to the data behind a mutex.

use super::{
    LockGuard, MutexGuard, ReentrantGuard,
    error::LockError,
    raw::{Ended, RawCondvar, Sleeping},
};
use crate::{
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::{fmt, time::Duration};

/// A place to wait until another process has changed something.
///
/// Whoever waits gives up the guard of a mutex for that time, of a [`ReentrantMutex`](super::ReentrantMutex) with all its levels, and has it again
/// afterwards. Between looking at the data and waiting nobody can slip in, so no notification is missed. Waiters are notified in the order in which they came;
/// who gets the mutex next is as for any mutex. A wait may end without a notification, rarely; [`wait_while`](Self::wait_while) looks again by itself. A notification
/// for which nobody waits is lost.
///
/// Notifying does not need the mutex, and never blocks. The condition variable is not bound to one mutex; which one it is about is up to the program.
///
/// **When a waiter dies**, the others are woken as if it had never waited: if it had been notified already and had not yet got its mutex back, somebody else is
/// instead. That works between processes of one program. If it dies with the mutex, that is poisoned: then the waits of all end with that error, or of as many
/// as there are until somebody has made the data whole. Whoever does so notifies those for whom it has become what they wait for.
/// If whoever would have notified dies elsewhere, nobody knows; wait with a timeout where that can happen.
///
/// # Examples
/// A customer who waits for a loaf, and a baker who brings one:
/// ```
/// use psync::prelude::*;
///
/// #[shared]
/// struct Shop {
///     shelf: Mutex<u32>,
///     filled: Condvar,
/// }
///
/// #[process]
/// fn customer(shop: &Shop) -> Result<(), LockError> {
///     let mut loaves = shop.filled.wait_while(shop.shelf.lock()?, |loaves| *loaves == 0)?;
///     *loaves -= 1;
///     Ok(())
/// }
///
/// #[process(lock(shop.shelf as loaves))]
/// fn baker(shop: &Shop) {
///     *loaves += 1;
///     shop.filled.notify_one();
/// }
///
/// let shop = Shared::new(Shop::default())?;
/// let (served, ()) = parallel! { customer(&shop), baker(&shop) }?;
/// served?;
/// assert_eq!(*shop.shelf.lock()?, 0);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// Between threads:
/// ```
/// use psync::{Condvar, Mutex};
///
/// let (jobs, more) = (Mutex::new(0), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *jobs.lock().unwrap() += 1;
///         more.notify_one();
///     });
///     let mut count = more.wait_while(jobs.lock()?, |count| *count == 0)?;
///     *count -= 1;
///     Ok::<(), psync::LockError>(())
/// })?;
/// # Ok::<(), psync::LockError>(())
/// ```
#[repr(transparent)]
pub struct Condvar(RawCondvar);

/// A guard that can be given up while its thread waits for a [`Condvar`]: that of a [`Mutex`](super::Mutex), of a
/// [`ReentrantMutex`](super::ReentrantMutex), of a [`Lock`](super::Lock), or of the fields that one guards in a `#[shared]` struct.
///
/// # Examples
/// ```
/// use psync::{Condvar, CondvarGuard, Lock, LockError};
///
/// fn ring<G: CondvarGuard>(bell: &Condvar, _held: &G) {
///     bell.notify_one();
/// }
///
/// ring(&Condvar::new(), &Lock::new().lock()?);
/// # Ok::<(), LockError>(())
/// ```
pub trait CondvarGuard: sealed::Sealed {
    #[doc(hidden)]
    fn held(&self) -> &LockGuard<'_>;

    /// Called before the lock is given up: sees to it that nobody is surprised by what other guards of this hold refer to. Until the result is dropped.
    ///
    /// # Panics
    /// If it cannot.
    #[doc(hidden)]
    fn step_back(&self) -> StepBack<'_> {
        StepBack(None)
    }
}

/// See [`CondvarGuard::step_back`].
#[doc(hidden)]
#[derive(Debug)]
#[allow(dead_code, reason = "it is there to be dropped")]
pub struct StepBack<'a>(Option<Sleeping<'a>>);

/// A guard whose data an `F` can look at: `FnMut(&mut T) -> bool` for that of a [`Mutex`](super::Mutex), `FnMut(&T) -> bool` for that of a
/// [`ReentrantMutex`](super::ReentrantMutex), `FnMut() -> bool` for that of a [`Lock`](super::Lock), and `FnMut(&mut G) -> bool` for the guard `G` of fields.
///
/// # Examples
/// ```
/// use psync::{Condvar, Mutex};
///
/// let (bell, data) = (Condvar::new(), Mutex::new(1));
/// let guard = bell.wait_while(data.lock()?, |value: &mut i32| *value == 0)?;
/// assert_eq!(*guard, 1);
/// # Ok::<(), psync::LockError>(())
/// ```
pub trait Condition<F>: CondvarGuard {
    #[doc(hidden)]
    fn is_true(&mut self, condition: &mut F) -> bool;
}

mod sealed {
    /// Guards of this crate.
    pub trait Sealed {}
}

impl<T> sealed::Sealed for MutexGuard<'_, T> {}

impl<T> CondvarGuard for MutexGuard<'_, T> {
    fn held(&self) -> &LockGuard<'_> {
        self.lock_guard()
    }
}

impl<T, F: FnMut(&mut T) -> bool> Condition<F> for MutexGuard<'_, T> {
    fn is_true(&mut self, condition: &mut F) -> bool {
        condition(self)
    }
}

impl<T> sealed::Sealed for ReentrantGuard<'_, T> {}

impl<T> CondvarGuard for ReentrantGuard<'_, T> {
    fn held(&self) -> &LockGuard<'_> {
        self.lock_guard()
    }

    fn step_back(&self) -> StepBack<'_> {
        StepBack(self.sleep_with_others())
    }
}

impl<T, F: FnMut(&T) -> bool> Condition<F> for ReentrantGuard<'_, T> {
    fn is_true(&mut self, condition: &mut F) -> bool {
        condition(self)
    }
}

impl sealed::Sealed for LockGuard<'_> {}

impl CondvarGuard for LockGuard<'_> {
    fn held(&self) -> &LockGuard<'_> {
        self
    }
}

impl<F: FnMut() -> bool> Condition<F> for LockGuard<'_> {
    fn is_true(&mut self, condition: &mut F) -> bool {
        condition()
    }
}

/// The guard of the fields that a lock guards. Generated code implements it.
#[doc(hidden)]
pub trait FieldsGuard {
    fn lock_guard(&self) -> &LockGuard<'_>;
    /// Whether all fields of the hold are in this guard.
    fn is_whole(&self) -> bool;
}

impl<G: FieldsGuard> sealed::Sealed for G {}

impl<G: FieldsGuard> CondvarGuard for G {
    fn held(&self) -> &LockGuard<'_> {
        self.lock_guard()
    }

    fn step_back(&self) -> StepBack<'_> {
        assert!(self.is_whole(), "a field of the guard that is to wait is in another guard");
        StepBack(None)
    }
}

impl<G: FieldsGuard, F: FnMut(&mut G) -> bool> Condition<F> for G {
    fn is_true(&mut self, condition: &mut F) -> bool {
        condition(self)
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    pub const fn new() -> Self {
        Self(RawCondvar::new())
    }

    /// Gives the guard up, waits for a notification, and acquires the mutex again, however long that takes.
    ///
    /// # Errors
    /// [`LockError::Poisoned`] if somebody died or panicked with the mutex meanwhile. The guard is gone then. There is no other: if the mutex is not to be had
    /// again for a deadlock, another thread of the circle is told, if one of them can be.
    #[track_caller]
    pub fn wait<G: CondvarGuard>(&self, guard: G) -> Result<G, LockError> {
        self.wait_until(guard, Deadline::NEVER).map(|(guard, _)| guard)
    }

    /// Gives the guard up, waits for a notification or until `timeout` is over, and acquires the mutex again, however long that takes. With a timeout of zero, lets
    /// others have the mutex in between.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout<G: CondvarGuard>(
        &self,
        guard: G,
        timeout: Duration,
    ) -> Result<(G, WaitTimeout), LockError> {
        self.wait_until(guard, Deadline::after(timeout))
    }

    /// Waits as long as `condition` is true of the data: it is asked first, and after each notification.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    /// If `condition` does; the mutex is poisoned then.
    #[track_caller]
    pub fn wait_while<F, G: Condition<F>>(
        &self,
        mut guard: G,
        mut condition: F,
    ) -> Result<G, LockError> {
        while guard.is_true(&mut condition) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits as long as `condition` is true of the data, at most until `timeout` is over. It has timed out if the condition is still true then.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    /// As [`wait_while`](Self::wait_while).
    ///
    /// # Examples
    /// ```
    /// use psync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// let (state, changed) = (Mutex::new(0), Condvar::new());
    /// let soon = Duration::from_millis(5);
    /// let (guard, result) = changed.wait_timeout_while(state.lock()?, soon, |state| *state != 4)?;
    /// assert!(result.timed_out());
    /// assert_eq!(*guard, 0);
    /// # Ok::<(), psync::LockError>(())
    /// ```
    #[track_caller]
    pub fn wait_timeout_while<F, G: Condition<F>>(
        &self,
        mut guard: G,
        timeout: Duration,
        mut condition: F,
    ) -> Result<(G, WaitTimeout), LockError> {
        let deadline = Deadline::after(timeout);
        loop {
            if !guard.is_true(&mut condition) {
                return Ok((guard, WaitTimeout(false)));
            }
            if deadline.is_over() {
                return Ok((guard, WaitTimeout(true)));
            }
            (guard, _) = self.wait_until(guard, deadline)?;
        }
    }

    #[track_caller]
    fn wait_until<G: CondvarGuard>(
        &self,
        guard: G,
        deadline: Deadline,
    ) -> Result<(G, WaitTimeout), LockError> {
        let site = Site::here::<Self>(Operation::Wait);
        let others = guard.step_back();
        let waiter = self.0.enlist();
        let hold = guard.held().suspend();
        {
            let blocking = Blocking::new(deadline, Some(site));
            self.0.sleep(&waiter, &blocking, || guard.held().is_suspect());
        }
        let resumed = guard.held().resume(hold, site);
        drop(others);
        let ended = self.0.leave(&waiter);
        match resumed {
            Ok(()) => {
                let timed_out = ended == Ended::TimedOut && deadline.is_over();
                Ok((guard, WaitTimeout(timed_out)))
            }
            Err(error) => {
                // Notified, and unable to go on: it is another's turn.
                if ended == Ended::Notified {
                    self.notify_one();
                }
                drop(guard);
                Err(error)
            }
        }
    }

    /// Lets the one go on that has waited longest, if anybody waits.
    pub fn notify_one(&self) {
        self.0.notify(1);
    }

    /// Lets up to `count` go on, those first that have waited longest; how many there were.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(psync::Condvar::new().notify(3), 0);
    /// ```
    pub fn notify(&self, count: u32) -> u32 {
        self.0.notify(count)
    }

    /// Lets everybody go on who waits.
    ///
    /// # Examples
    /// ```
    /// use psync::{Condvar, Mutex, Shared, parallel, shared};
    ///
    /// #[shared]
    /// struct Shop {
    ///     #[init(Mutex::new(0))]
    ///     loaves: Mutex<u32>,
    ///     baked: Condvar,
    /// }
    ///
    /// let shop = Shared::new(Shop::default())?;
    /// parallel! {
    ///     for _ in 0..2 => process(&shop) {
    ///         let mut loaves = shop.loaves.lock().expect("nobody dies");
    ///         loaves = shop.baked.wait_while(loaves, |loaves| *loaves == 0).expect("nobody dies");
    ///         *loaves -= 1;
    ///     },
    ///     process(&shop) {
    ///         *shop.loaves.lock().expect("nobody dies") = 2;
    ///         shop.baked.notify_all();
    ///     },
    /// }?;
    /// assert_eq!(*shop.loaves.lock()?, 0);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn notify_all(&self) {
        self.0.notify(u32::MAX);
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condvar({} waiting)", self.0.waiting())
    }
}

/// Whether a timed wait ended because its time was up.
///
/// # Examples
/// ```
/// use psync::{Condvar, Mutex};
/// use std::time::Duration;
///
/// let (bell, data) = (Condvar::new(), Mutex::new(0));
/// let (_guard, outcome) = bell.wait_timeout(data.lock()?, Duration::from_millis(1))?;
/// assert!(outcome.timed_out(), "nobody notifies");
/// # Ok::<(), psync::LockError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitTimeout(bool);

impl WaitTimeout {
    /// Whether the time was up before a notification came.
    pub const fn timed_out(self) -> bool {
        self.0
    }
}

#[cfg(test)]
#[path = "condvar_tests.rs"]
mod tests;
