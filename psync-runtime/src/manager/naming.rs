//! Objects under names, for programs that have no handle of them.

use super::{Manager, ManagerError, held::Held};
use crate::channel::fingerprint;

/// A proxy of a built-in object that the server itself can work with: what [`Manager::publish`] takes and [`Manager::find`] gives.
pub trait Proxy: Sized + 'static {
    #[doc(hidden)]
    fn held(&self) -> &Held;
    #[doc(hidden)]
    fn holding(held: Held) -> Self;
}

impl Manager {
    /// Has an object be found under a name, in the place of another one that had it. The name keeps the object, until the server ends.
    ///
    /// # Errors
    /// [`ManagerError::Gone`], [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::CounterProxy};
    ///
    /// let manager = Manager::start()?;
    /// manager.publish("visits", &manager.counter()?)?;
    /// let visits: CounterProxy = manager.find("visits")?.expect("it was published");
    /// assert_eq!(visits.add(1)?, 1);
    /// assert!(manager.find::<CounterProxy>("nothing")?.is_none());
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn publish<P: Proxy>(&self, name: &str, proxy: &P) -> Result<(), ManagerError> {
        proxy.held().publish(name, fingerprint::<P>())
    }

    /// The object of a name, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::WrongType`] if it is of another type, [`ManagerError::Lost`].
    pub fn find<P: Proxy>(&self, name: &str) -> Result<Option<P>, ManagerError> {
        let held = Held::find(self.server(), name, fingerprint::<P>())?;
        Ok(held.map(P::holding))
    }
}
