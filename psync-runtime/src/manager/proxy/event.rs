//! `EventProxy`: an event that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::Shared,
    sync::Event,
};
use core::time::Duration;

outside! {
    /// An [`Event`] that a manager's server keeps, for whoever has a handle. It is the event itself, in shared memory.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::EventProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let bell = manager.event()?;
    /// let animal = spawn(|bell: EventProxy| bell.wait().is_ok(), bell.clone())?;
    /// bell.set()?;
    /// assert!(animal.join()?);
    /// # Ok::<(), psync::Error>(())
    /// ```
    EventProxy holds Shared<Event>
}

impl Manager {
    /// A new event, which is not set.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn event(&self) -> Result<EventProxy, ManagerError> {
        let event = Shared::new(Event::new()).map_err(|error| ManagerError::system(&error))?;
        Ok(EventProxy { outside: Outside::new(self, event)? })
    }
}

impl EventProxy {
    /// Sets the event: whoever waits goes on.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn set(&self) -> Result<(), ManagerError> {
        self.outside.look(|event| event.set())
    }

    /// Makes the event one that is not set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.outside.look(|event| event.clear())
    }

    /// Whether the event is set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_set(&self) -> Result<bool, ManagerError> {
        self.outside.look(|event| event.is_set())
    }

    /// Waits until the event is set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), ManagerError> {
        self.wait_timeout(Duration::MAX).map(drop)
    }

    /// Waits until the event is set or `timeout` is over; whether it was set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, ManagerError> {
        let set = self.outside.look(|event| event.wait_timeout(timeout))?;
        // A wait that was not for nothing may have been cut short by the server's end.
        if set { Ok(true) } else { self.outside.look(|_| false) }
    }
}
