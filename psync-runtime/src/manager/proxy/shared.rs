//! `SharedProxy`: any value of shared memory that a manager keeps.

use super::outside::{Outside, outside};
use crate::{
    manager::{Manager, ManagerError},
    shm::{Shared, ShmSafe},
};
use core::ops::Deref;

outside! {
    /// A [`Shared`] value that a manager's server keeps, for whoever has a handle: any other primitive, or a struct of `#[shared]`.
    ///
    /// It is the value itself, in shared memory, which needs no server to be used, and goes on to be there after the server's end for those who have it.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, ReentrantMutex, manager::SharedProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let lock = manager.shared(ReentrantMutex::new(()))?;
    /// let twice = |lock: SharedProxy<ReentrantMutex<()>>| {
    ///     let outer = lock.lock().expect("nobody died with it");
    ///     let inner = lock.lock().expect("it may be taken again");
    ///     inner.depth() == 2 && outer.depth() == 2
    /// };
    /// assert!(spawn(twice, lock.clone())?.join()?);
    /// # Ok::<(), psync::Error>(())
    /// ```
    SharedProxy<T: ShmSafe> holds Shared<T>
}

impl Manager {
    /// Moves a value into shared memory, and has the server keep it.
    ///
    /// # Errors
    /// [`ManagerError::System`] if there is no memory, [`ManagerError::Lost`].
    pub fn shared<T: ShmSafe>(&self, value: T) -> Result<SharedProxy<T>, ManagerError> {
        let shared = Shared::new(value).map_err(|error| ManagerError::system(&error))?;
        Ok(SharedProxy { outside: Outside::new(self, shared)? })
    }
}

impl<T: ShmSafe> Deref for SharedProxy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.outside.thing()
    }
}
