//! `SetProxy`: a set that processes share.

use super::{nothing, proxy, take_len};
use crate::manager::{
    Item, Manager, ManagerError,
    held::Held,
    object::{Kind, set::Method},
    wire::{put_key, put_last_key, take_all, take_flag, take_nothing, take_option},
};
use core::borrow::Borrow;
use serde::Serialize;

proxy! {
    /// A set in a manager's server: what `HashSet` is in one process. It keeps the order in which members were inserted.
    ///
    /// Two members are the same if they are encoded alike, as it is with the keys of a [`DictProxy`](super::dict::DictProxy). For what sets make of each other take
    /// [`to_vec`](Self::to_vec), which is the caller's own.
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let seen = manager.set()?;
    /// assert!(seen.insert("ape".to_owned())?);
    /// assert!(!seen.insert("ape".to_owned())?);
    /// assert!(seen.contains("ape")?);
    /// seen.extend(["lion".to_owned(), "zebra".to_owned()])?;
    /// seen.retain_all(["ape".to_owned(), "zebra".to_owned()])?;
    /// assert_eq!(seen.to_vec()?, ["ape", "zebra"]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    SetProxy<T>
}

impl Manager {
    /// A new set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn set<T: Item>(&self) -> Result<SetProxy<T>, ManagerError> {
        Held::make(self.server(), Kind::Set as u32).map(SetProxy::holding)
    }
}

impl<T: Item> SetProxy<T> {
    /// Takes a member in; whether it is new.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn insert(&self, member: T) -> Result<bool, ManagerError> {
        self.one(Method::Insert, &member)
    }

    /// Takes a member out; whether it was there.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn remove<Q>(&self, member: &Q) -> Result<bool, ManagerError>
    where
        T: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.one(Method::Remove, member)
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn contains<Q>(&self, member: &Q) -> Result<bool, ManagerError>
    where
        T: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.one(Method::Contains, member)
    }

    /// Takes all of these in, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn extend(&self, members: impl IntoIterator<Item = T>) -> Result<(), ManagerError> {
        self.all(Method::Extend, members)
    }

    /// Takes all of these out, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn remove_all(&self, members: impl IntoIterator<Item = T>) -> Result<(), ManagerError> {
        self.all(Method::RemoveAll, members)
    }

    /// Takes all others out, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn retain_all(&self, members: impl IntoIterator<Item = T>) -> Result<(), ManagerError> {
        self.all(Method::Retain, members)
    }

    /// Takes the member out that was inserted last.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn pop(&self) -> Result<Option<T>, ManagerError> {
        self.held.call::<(), _>(Method::Pop as u32, nothing, take_option)
    }

    /// How many members there are.
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

    /// All members in the order of their insertion, as they are at one moment.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        self.held.call::<(), _>(Method::Items as u32, nothing, take_all)
    }

    /// Takes all members out.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.held.call::<(), _>(Method::Clear as u32, nothing, take_nothing)
    }

    fn one<Q: Serialize + ?Sized>(&self, method: Method, member: &Q) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, member);
        self.held.call::<(), _>(method as u32, write, take_flag)
    }

    fn all(
        &self,
        method: Method,
        members: impl IntoIterator<Item = T>,
    ) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| members.into_iter().try_for_each(|m| put_key(bytes, &m));
        self.held.call::<(), _>(method as u32, write, take_nothing)
    }
}
