//! `DictProxy`: a map that processes share.

use super::{nothing, proxy, take_len};
use crate::manager::{
    Item, Manager, ManagerError,
    held::Held,
    object::{
        Kind,
        dict::{self, Method},
    },
    serve::Entry,
    wire::{
        Pieces, cut_short, offset, put, put_key, put_last, put_last_key, put_number, take_all,
        take_flag, take_last, take_nothing, take_option,
    },
};
use core::borrow::Borrow;
use serde::Serialize;

proxy! {
    /// A map in a manager's server: what `HashMap` is in one process. It keeps the order in which keys were inserted.
    ///
    /// Each call is one step that nobody else comes between. To change a value according to what it is, use one call for that: [`fetch_update`](Self::fetch_update),
    /// [`update_with`](Self::update_with), [`get_or_insert`](Self::get_or_insert), [`compare_and_swap`](Self::compare_and_swap).
    ///
    /// **Two keys are the same if they are encoded alike.** That is what `==` says of numbers, texts, tuples, vectors, enums and structures of such. It is not so for `f64`, where 0.0 and -0.0 are two keys, for types
    /// with an equality of their own, and for `HashMap` and `HashSet`, whose order is random: use `BTreeMap` and `BTreeSet` in keys. A key cannot have handles in it.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::DictProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let words = manager.dict::<String, u32>()?;
    /// let count = |words: DictProxy<String, u32>| {
    ///     ["nut", "acorn", "nut"].iter().all(|word| {
    ///         words.update_with((*word).to_owned(), |n| Some(n.unwrap_or(0) + 1)).is_ok()
    ///     })
    /// };
    /// let counters = [spawn(count, words.clone())?, spawn(count, words.clone())?];
    /// for counter in counters {
    ///     assert!(counter.join()?);
    /// }
    /// assert_eq!(words.get("nut")?, Some(4));
    /// # Ok::<(), psync::Error>(())
    /// ```
    DictProxy<K, V>
}

impl Manager {
    /// A new map.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn dict<K: Item, V: Item>(&self) -> Result<DictProxy<K, V>, ManagerError> {
        Held::make(self.server(), Kind::Dict as u32).map(DictProxy::holding)
    }
}

impl<K: Item, V: Item> DictProxy<K, V> {
    /// Puts a value under a key, and returns the one that was there before.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn insert(&self, key: K, value: V) -> Result<Option<V>, ManagerError> {
        self.held.call::<V, _>(Method::Insert as u32, entry(&key, &value), take_option)
    }

    /// The value under a key, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn get<Q>(&self, key: &Q) -> Result<Option<V>, ManagerError>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, key);
        self.held.call::<V, _>(Method::Get as u32, write, take_option)
    }

    /// Takes a key and its value out.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn remove<Q>(&self, key: &Q) -> Result<Option<V>, ManagerError>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, key);
        self.held.call::<V, _>(Method::Remove as u32, write, take_option)
    }

    /// Whether there is a value under the key.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn contains_key<Q>(&self, key: &Q) -> Result<bool, ManagerError>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let write = |bytes: &mut Vec<u8>| put_last_key(bytes, key);
        self.held.call::<V, _>(Method::Contains as u32, write, take_flag)
    }

    /// The value under a key; if there is none, this one is put there.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn get_or_insert(&self, key: K, value: V) -> Result<V, ManagerError> {
        self.held.call::<V, _>(Method::GetOrInsert as u32, entry(&key, &value), take_last)
    }

    /// Replaces what is under a key by what `f` makes of it, in one step that nobody comes between; `None` stands for no value. Returns what was there before. `f` runs in the server, and
    /// so captures nothing.
    ///
    /// # Errors
    /// [`ManagerError::Panicked`] if `f` panics; the map stays as it is. [`ManagerError::Encode`], [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let nuts = manager.dict()?;
    /// nuts.insert("acorn".to_owned(), 1)?;
    /// let eat = |left: Option<u32>| left.filter(|n| *n > 1).map(|n| n - 1);
    /// assert_eq!(nuts.fetch_update("acorn".to_owned(), eat)?, Some(1));
    /// assert!(nuts.is_empty()?);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn fetch_update(
        &self,
        key: K,
        f: fn(Option<V>) -> Option<V>,
    ) -> Result<Option<V>, ManagerError> {
        self.apply(dict::update::<V, true>, &key, f)
    }

    /// The same, but returns what is there then.
    ///
    /// # Errors
    /// As [`fetch_update`](Self::fetch_update).
    pub fn update_with(
        &self,
        key: K,
        f: fn(Option<V>) -> Option<V>,
    ) -> Result<Option<V>, ManagerError> {
        self.apply(dict::update::<V, false>, &key, f)
    }

    fn apply(
        &self,
        entry: Entry,
        key: &K,
        f: fn(Option<V>) -> Option<V>,
    ) -> Result<Option<V>, ManagerError> {
        let f = offset(f as *const ())?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, f);
            put_last_key(bytes, key)
        };
        self.held.enter::<V, _>(entry as *const (), write, take_option)
    }

    /// Puts `new` under a key if what is there is `old`, that is, is encoded as `old` is; `None` stands for no value. Whether it was. A value with handles in it never is.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let owners = manager.dict::<u32, String>()?;
    /// assert!(owners.compare_and_swap(7, None, Some("ape".to_owned()))?);
    /// assert!(!owners.compare_and_swap(7, None, Some("lion".to_owned()))?);
    /// assert!(owners.compare_and_swap(7, Some("ape".to_owned()), None)?);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn compare_and_swap(
        &self,
        key: K,
        old: Option<V>,
        new: Option<V>,
    ) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_key(bytes, &key)?;
            put_number(bytes, old.is_some().into());
            put_number(bytes, new.is_some().into());
            old.iter().chain(&new).try_for_each(|value| put(bytes, value))
        };
        self.held.call::<V, _>(Method::Exchange as u32, write, take_flag)
    }

    /// Puts all of these there, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn extend(&self, entries: impl IntoIterator<Item = (K, V)>) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            entries.into_iter().try_for_each(|(key, value)| {
                put_key(bytes, &key)?;
                put(bytes, &value)
            })
        };
        self.held.call::<V, _>(Method::Extend as u32, write, take_nothing)
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.held.call::<V, _>(Method::Len as u32, nothing, take_len)
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// All keys in the order of their insertion, as they are at one moment.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn keys(&self) -> Result<Vec<K>, ManagerError> {
        self.held.call::<V, _>(Method::Keys as u32, nothing, take_all)
    }

    /// All values in the order of their keys' insertion, as they are at one moment.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn values(&self) -> Result<Vec<V>, ManagerError> {
        self.items().map(|items| items.into_iter().map(|(_, value)| value).collect())
    }

    /// All keys with their values in the order of insertion, as they are at one moment. Iterate over this to see each of them once.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn items(&self) -> Result<Vec<(K, V)>, ManagerError> {
        self.held.call::<V, _>(Method::Items as u32, nothing, take_entries)
    }

    /// Takes the key out that was inserted last, with its value.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn pop_last(&self) -> Result<Option<(K, V)>, ManagerError> {
        let read = |bytes: &[u8]| take_entries(bytes).map(|entries| entries.into_iter().next());
        self.held.call::<V, _>(Method::PopLast as u32, nothing, read)
    }

    /// Takes everything out.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.held.call::<V, _>(Method::Clear as u32, nothing, take_nothing)
    }
}

fn entry<K: Item, V: Item>(
    key: &K,
    value: &V,
) -> impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError> {
    move |bytes| {
        put_key(bytes, key)?;
        put_last(bytes, value)
    }
}

fn take_entries<K: Item, V: Item>(bytes: &[u8]) -> Result<Vec<(K, V)>, ManagerError> {
    let mut pieces = Pieces(bytes);
    let mut all = Vec::new();
    while !pieces.is_empty() {
        let key = take_last(pieces.item().ok_or_else(cut_short)?)?;
        all.push((key, take_last(pieces.item().ok_or_else(cut_short)?)?));
    }
    Ok(all)
}
