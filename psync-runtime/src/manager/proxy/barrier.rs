//! `BarrierProxy`: a barrier that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::Shared,
    sync::{Barrier, BarrierWait},
};
use core::time::Duration;

outside! {
    /// A [`Barrier`] that a manager's server keeps, for whoever has a handle. It is the barrier itself, in shared memory; a party that dies at it breaks it.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::BarrierProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let gate = manager.barrier(2)?;
    /// let other = spawn(|gate: BarrierProxy| gate.wait().is_ok(), gate.clone())?;
    /// gate.wait()?;
    /// assert!(other.join()?);
    /// # Ok::<(), psync::Error>(())
    /// ```
    BarrierProxy holds Shared<Barrier>
}

impl Manager {
    /// A new barrier for so many parties.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    ///
    /// # Panics
    /// As [`Barrier::new`]: if `parties` is zero, or more than there can be threads.
    pub fn barrier(&self, parties: usize) -> Result<BarrierProxy, ManagerError> {
        let barrier = Shared::new(Barrier::new(parties));
        let barrier = barrier.map_err(|error| ManagerError::system(&error))?;
        Ok(BarrierProxy { outside: Outside::new(self, barrier)? })
    }
}

impl BarrierProxy {
    /// Waits until all parties have arrived.
    ///
    /// # Errors
    /// [`ManagerError::Broken`] as of [`Barrier::wait`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn wait(&self) -> Result<BarrierWait, ManagerError> {
        self.outside.with(|barrier| barrier.wait())
    }

    /// Waits until all parties have arrived. If `timeout` is over first, breaks the barrier for all.
    ///
    /// # Errors
    /// [`ManagerError::Broken`] as of [`Barrier::wait_timeout`], [`ManagerError::Lost`].
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWait, ManagerError> {
        self.outside.with(|barrier| barrier.wait_timeout(timeout))
    }

    /// Breaks the barrier, until a [`reset`](Self::reset).
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn abort(&self) -> Result<(), ManagerError> {
        self.outside.look(|barrier| barrier.abort())
    }

    /// Makes the barrier as new. Whoever is waiting gets [`ManagerError::Broken`].
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn reset(&self) -> Result<(), ManagerError> {
        self.outside.look(|barrier| barrier.reset())
    }

    /// How many parties there are.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn parties(&self) -> Result<usize, ManagerError> {
        self.outside.look(|barrier| barrier.parties())
    }

    /// How many parties are waiting at this moment.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn waiting(&self) -> Result<usize, ManagerError> {
        self.outside.look(|barrier| barrier.waiting())
    }

    /// Whether the barrier is broken.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_broken(&self) -> Result<bool, ManagerError> {
        self.outside.look(|barrier| barrier.is_broken())
    }
}
