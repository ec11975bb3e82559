//! `ConditionProxy`: a lock and a condition variable that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::Shared,
    sync::{Condvar, Lock, LockGuard, WaitTimeout},
};
use core::time::Duration;

outside! {
    /// A [`Lock`] with a [`Condvar`], which a manager's server keeps for whoever has a handle. Both are themselves, in shared memory.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::{ConditionProxy, CounterProxy}, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let (changed, nuts) = (manager.condition()?, manager.counter()?);
    /// let eat = |(changed, nuts): (ConditionProxy, CounterProxy)| {
    ///     let guard = changed.lock().expect("nobody died with it");
    ///     let none = || nuts.get().is_ok_and(|n| n == 0);
    ///     let _guard = changed.wait_while(guard, none).expect("nobody died with it");
    ///     nuts.sub(1).expect("the server is there")
    /// };
    /// let squirrel = spawn(eat, (changed.clone(), nuts.clone()))?;
    /// let guard = changed.lock()?;
    /// nuts.add(3)?;
    /// changed.notify_one()?;
    /// drop(guard);
    /// assert_eq!(squirrel.join()?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    ConditionProxy holds (Shared<Lock>, Shared<Condvar>)
}

impl Manager {
    /// A new lock, which is free, and a condition variable that nobody waits for.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn condition(&self) -> Result<ConditionProxy, ManagerError> {
        let lock = Shared::new(Lock::new()).map_err(|error| ManagerError::system(&error))?;
        let condvar = Shared::new(Condvar::new()).map_err(|error| ManagerError::system(&error))?;
        Ok(ConditionProxy { outside: Outside::new(self, (lock, condvar))? })
    }
}

impl ConditionProxy {
    /// Acquires the lock, waiting until it is free. It is released when the guard is dropped.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Lock::lock`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn lock(&self) -> Result<LockGuard<'_>, ManagerError> {
        self.outside.with(|(lock, _)| lock.lock())
    }

    /// Gives the guard up, waits for a notification, and acquires the lock again.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Condvar::wait`], [`ManagerError::Lost`]. The guard is gone then.
    #[track_caller]
    pub fn wait<'a>(&'a self, guard: LockGuard<'a>) -> Result<LockGuard<'a>, ManagerError> {
        let guard = self.outside.with(|(_, condvar)| condvar.wait(guard))?;
        // The wait may have been cut short by the server's end.
        self.outside.look(|_| ())?;
        Ok(guard)
    }

    /// The same, but waits no longer than `timeout`.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout<'a>(
        &'a self,
        guard: LockGuard<'a>,
        timeout: Duration,
    ) -> Result<(LockGuard<'a>, WaitTimeout), ManagerError> {
        let waited = self.outside.with(|(_, condvar)| condvar.wait_timeout(guard, timeout))?;
        self.outside.look(|_| ())?;
        Ok(waited)
    }

    /// [Waits](Self::wait) as long as `condition` holds.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_while<'a>(
        &'a self,
        mut guard: LockGuard<'a>,
        mut condition: impl FnMut() -> bool,
    ) -> Result<LockGuard<'a>, ManagerError> {
        while condition() {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Lets one that waits go on.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn notify_one(&self) -> Result<(), ManagerError> {
        self.outside.look(|(_, condvar)| condvar.notify_one())
    }

    /// Lets up to `count` that wait go on; how many there were.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn notify(&self, count: u32) -> Result<u32, ManagerError> {
        self.outside.look(|(_, condvar)| condvar.notify(count))
    }

    /// Lets all that wait go on.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn notify_all(&self) -> Result<(), ManagerError> {
        self.outside.look(|(_, condvar)| condvar.notify_all())
    }
}
