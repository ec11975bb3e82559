//! `CounterProxy`: a number that processes add to.

use super::{nothing, proxy};
use crate::manager::{
    Manager, ManagerError,
    held::Held,
    object::{Kind, counter::Method},
    wire::{put_number, take_flag, take_number},
};

proxy! {
    /// A number in a manager's server: what `AtomicI64` is between threads.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::CounterProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let fed = manager.counter()?;
    /// let keeper = spawn(|fed: CounterProxy| (0..10).all(|_| fed.add(2).is_ok()), fed.clone())?;
    /// assert!(keeper.join()?);
    /// assert_eq!(fed.get()?, 20);
    /// # Ok::<(), psync::Error>(())
    /// ```
    CounterProxy
}

impl Manager {
    /// A new counter, at 0.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn counter(&self) -> Result<CounterProxy, ManagerError> {
        Held::make(self.server(), Kind::Counter as u32).map(CounterProxy::holding)
    }
}

fn signed(bytes: &[u8]) -> Result<i64, ManagerError> {
    take_number(bytes).map(u64::cast_signed)
}

impl CounterProxy {
    /// Adds to the number, and returns what it is then. It wraps around at its limits.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn add(&self, step: i64) -> Result<i64, ManagerError> {
        self.one(Method::Add, step)
    }

    /// Subtracts from the number, and returns what it is then. It wraps around at its limits.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn sub(&self, step: i64) -> Result<i64, ManagerError> {
        self.one(Method::Add, step.wrapping_neg())
    }

    /// The number.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn get(&self) -> Result<i64, ManagerError> {
        self.held.call::<(), _>(Method::Get as u32, nothing, signed)
    }

    /// Puts another number there, and returns the one that was there before.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn set(&self, number: i64) -> Result<i64, ManagerError> {
        self.one(Method::Set, number)
    }

    /// Puts `new` there if the number is `old`; whether it was.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn compare_and_swap(&self, old: i64, new: i64) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, old.cast_unsigned());
            put_number(bytes, new.cast_unsigned());
            Ok(())
        };
        self.held.call::<(), _>(Method::Exchange as u32, write, take_flag)
    }

    fn one(&self, method: Method, number: i64) -> Result<i64, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, number.cast_unsigned());
            Ok(())
        };
        self.held.call::<(), _>(method as u32, write, signed)
    }
}
