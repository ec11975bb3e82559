//! `LockProxy`: a lock that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::Shared,
    sync::{Lock, LockGuard},
};
use core::time::Duration;

outside! {
    /// A [`Lock`] that a manager's server keeps, for whoever has a handle.
    ///
    /// It is the lock itself, in shared memory: waiting for it costs the server nothing, a holder that dies poisons it, and threads that wait for each other are told.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::{ListProxy, LockProxy}, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let (lock, list) = (manager.lock()?, manager.list()?);
    /// let add = |(lock, list): (LockProxy, ListProxy<usize>)| {
    ///     let _turn = lock.lock().expect("nobody died with it");
    ///     let len = list.len().expect("the server is there");
    ///     list.push(len).expect("the server is there");
    /// };
    /// let adders = [(); 3].map(|()| spawn(add, (lock.clone(), list.clone())));
    /// for adder in adders {
    ///     adder?.join()?;
    /// }
    /// assert_eq!(list.to_vec()?, [0, 1, 2]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    LockProxy holds Shared<Lock>
}

impl Manager {
    /// A new lock, which is free.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn lock(&self) -> Result<LockProxy, ManagerError> {
        let lock = Shared::new(Lock::new()).map_err(|error| ManagerError::system(&error))?;
        Ok(LockProxy { outside: Outside::new(self, lock)? })
    }
}

impl LockProxy {
    /// Acquires the lock, waiting until it is free. It is released when the guard is dropped.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Lock::lock`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn lock(&self) -> Result<LockGuard<'_>, ManagerError> {
        self.outside.with(|lock| lock.lock())
    }

    /// Acquires the lock if it is free.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Lock::try_lock`], [`ManagerError::Lost`].
    pub fn try_lock(&self) -> Result<LockGuard<'_>, ManagerError> {
        self.outside.with(|lock| lock.try_lock())
    }

    /// Acquires the lock, waiting until it is free or `timeout` is over.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Lock::lock_timeout`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<'_>, ManagerError> {
        self.outside.with(|lock| lock.lock_timeout(timeout))
    }

    /// Acquires the lock; if it is poisoned, has `repair` make whole what it protects and lifts the poison.
    ///
    /// # Errors
    /// [`ManagerError::NotLocked`] as of [`Lock::lock_or_repair`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn lock_or_repair(&self, repair: impl FnOnce()) -> Result<LockGuard<'_>, ManagerError> {
        self.outside.with(|lock| lock.lock_or_repair(repair))
    }

    /// Whether somebody holds the lock at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_locked(&self) -> Result<bool, ManagerError> {
        self.outside.look(|lock| lock.is_locked())
    }

    /// Whether a holder died or panicked, and nobody has vouched for what the lock protects since.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_poisoned(&self) -> Result<bool, ManagerError> {
        self.outside.look(|lock| lock.is_poisoned())
    }

    /// Declares what the lock protects sound.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear_poison(&self) -> Result<(), ManagerError> {
        self.outside.look(|lock| lock.clear_poison())
    }
}
