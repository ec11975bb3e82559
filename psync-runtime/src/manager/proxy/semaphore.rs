//! `SemaphoreProxy`: a semaphore that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::Shared,
    sync::{Permit, Semaphore},
};
use core::time::Duration;

outside! {
    /// A [`Semaphore`] that a manager's server keeps, for whoever has a handle. It is the semaphore itself, in shared memory; the permits of a process that dies come back.
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let swings = manager.semaphore(2)?;
    /// let permit = swings.acquire()?;
    /// assert_eq!(swings.available()?, 1);
    /// drop(permit);
    /// assert_eq!(swings.available()?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    SemaphoreProxy holds Shared<Semaphore>
}

impl Manager {
    /// A new semaphore with so many permits.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn semaphore(&self, permits: u32) -> Result<SemaphoreProxy, ManagerError> {
        self.keep_semaphore(Semaphore::new(permits))
    }

    /// A new semaphore with so many permits, and never more.
    ///
    /// # Errors
    /// As [`semaphore`](Self::semaphore).
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let beds = manager.bounded_semaphore(1)?;
    /// assert!(beds.release(1).is_err(), "there is no second bed");
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn bounded_semaphore(&self, permits: u32) -> Result<SemaphoreProxy, ManagerError> {
        self.keep_semaphore(Semaphore::bounded(permits))
    }

    fn keep_semaphore(&self, semaphore: Semaphore) -> Result<SemaphoreProxy, ManagerError> {
        let shared = Shared::new(semaphore).map_err(|error| ManagerError::system(&error))?;
        Ok(SemaphoreProxy { outside: Outside::new(self, shared)? })
    }
}

impl SemaphoreProxy {
    /// Acquires a permit, waiting until one is free. It is given back when the result is dropped.
    ///
    /// # Errors
    /// [`ManagerError::NotAcquired`] as of [`Semaphore::acquire`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit<'_>, ManagerError> {
        self.outside.with(|semaphore| semaphore.acquire())
    }

    /// Acquires a permit if one is free.
    ///
    /// # Errors
    /// [`ManagerError::NotAcquired`] as of [`Semaphore::try_acquire`], [`ManagerError::Lost`].
    pub fn try_acquire(&self) -> Result<Permit<'_>, ManagerError> {
        self.outside.with(|semaphore| semaphore.try_acquire())
    }

    /// Acquires a permit, waiting until one is free or `timeout` is over.
    ///
    /// # Errors
    /// [`ManagerError::NotAcquired`] as of [`Semaphore::acquire_timeout`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, ManagerError> {
        self.outside.with(|semaphore| semaphore.acquire_timeout(timeout))
    }

    /// Makes so many more permits free, without giving one back.
    ///
    /// # Errors
    /// [`ManagerError::NotReleased`] as of [`Semaphore::release`], [`ManagerError::Lost`].
    pub fn release(&self, permits: u32) -> Result<(), ManagerError> {
        self.outside.with(|semaphore| semaphore.release(permits))
    }

    /// How many permits are free at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn available(&self) -> Result<u32, ManagerError> {
        self.outside.look(|semaphore| semaphore.available())
    }
}
