//! `NamespaceProxy`: values of any types under names.

use super::{nothing, proxy, take_len};
use crate::{
    channel::fingerprint,
    manager::{
        Item, Manager, ManagerError,
        held::Held,
        object::{Kind, dict::Method},
        wire::{put, put_key, put_last_key, take_all, take_flag, take_nothing, take_option},
    },
};
use serde::{Deserialize, Serialize};

proxy! {
    /// Names in a manager's server, and under each a value of a type of its own.
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let settings = manager.namespace()?;
    /// settings.set("name", "farm".to_owned())?;
    /// settings.set("animals", 7_u32)?;
    /// assert_eq!(settings.get::<u32>("animals")?, Some(7));
    /// assert!(settings.get::<u64>("animals").is_err(), "it is of another type");
    /// assert_eq!(settings.keys()?, ["name", "animals"]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    NamespaceProxy
}

/// A value and what its type is.
#[derive(Serialize, Deserialize)]
struct Typed<T> {
    fingerprint: u64,
    value: T,
}

impl Manager {
    /// A new namespace.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn namespace(&self) -> Result<NamespaceProxy, ManagerError> {
        Held::make(self.server(), Kind::Dict as u32).map(NamespaceProxy::holding)
    }
}

impl NamespaceProxy {
    /// Puts a value under a name, in the place of the one that was there, of whatever type.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn set<T: Item>(&self, name: impl AsRef<str>, value: T) -> Result<(), ManagerError> {
        let value = Typed { fingerprint: fingerprint::<T>(), value };
        let write = |bytes: &mut Vec<u8>| {
            put_key(bytes, name.as_ref())?;
            put(bytes, &value)
        };
        self.held.call::<Typed<T>, _>(Method::Extend as u32, write, take_nothing)
    }

    /// The value under a name, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::WrongType`] if it is of another type, [`ManagerError::Lost`].
    pub fn get<T: Item>(&self, name: impl AsRef<str>) -> Result<Option<T>, ManagerError> {
        let read = |bytes: &[u8]| {
            let is_other = |own: &[u8; 8]| *own != fingerprint::<T>().to_le_bytes();
            // The type is told before the value is looked at.
            if bytes.get(1..).and_then(<[u8]>::first_chunk).is_some_and(is_other) {
                return Err(ManagerError::WrongType);
            }
            take_option::<Typed<T>>(bytes).map(|typed| typed.map(|typed| typed.value))
        };
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, name.as_ref());
        self.held.call::<Typed<T>, _>(Method::Get as u32, write, read)
    }

    /// Takes a name out; whether it was there.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn remove(&self, name: impl AsRef<str>) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, name.as_ref());
        self.held.call::<(), _>(Method::Discard as u32, write, take_flag)
    }

    /// Whether there is a value under the name.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn contains(&self, name: impl AsRef<str>) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, name.as_ref());
        self.held.call::<(), _>(Method::Contains as u32, write, take_flag)
    }

    /// How many names there are.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.held.call::<(), _>(Method::Len as u32, nothing, take_len)
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// All names in the order in which they were first set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn keys(&self) -> Result<Vec<String>, ManagerError> {
        self.held.call::<(), _>(Method::Keys as u32, nothing, take_all)
    }
}
