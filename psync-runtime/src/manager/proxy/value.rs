//! `ValueProxy`: one value that processes read and replace.

use super::{nothing, proxy};
use crate::manager::{
    Item, Manager, ManagerError,
    held::Held,
    object::{
        Kind,
        value::{self, Method},
    },
    serve::Entry,
    wire::{
        cut_short, offset, put, put_last, put_number, take_flag, take_last, take_nothing,
        take_option,
    },
};

proxy! {
    /// One value in a manager's server.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::ValueProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let sign = manager.value(String::from("closed"))?;
    /// let open = |sign: ValueProxy<String>| sign.set("open".to_owned()).is_ok();
    /// assert!(spawn(open, sign.clone())?.join()?);
    /// assert_eq!(sign.update(|text| text + "!")?, "open!");
    /// # Ok::<(), psync::Error>(())
    /// ```
    ValueProxy<T>
}

impl Manager {
    /// A new object that holds one value.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn value<T: Item>(&self, value: T) -> Result<ValueProxy<T>, ManagerError> {
        let proxy = Held::make(self.server(), Kind::Value as u32).map(ValueProxy::<T>::holding)?;
        proxy.set(value)?;
        Ok(proxy)
    }
}

impl<T: Item> ValueProxy<T> {
    /// The value.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn get(&self) -> Result<T, ManagerError> {
        self.held.call::<T, _>(Method::Get as u32, nothing, some)
    }

    /// Puts another value there.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn set(&self, value: T) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &value);
        self.held.call::<T, _>(Method::Set as u32, write, take_nothing)
    }

    /// Puts another value there, and returns the one that was there before.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn replace(&self, value: T) -> Result<T, ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &value);
        self.held.call::<T, _>(Method::Replace as u32, write, some)
    }

    /// Replaces the value by what `f` makes of it, in one step that nobody comes between, and returns what is there then. `f` runs in the server, and so captures nothing.
    ///
    /// # Errors
    /// [`ManagerError::Panicked`] if `f` panics; the value stays. [`ManagerError::Lost`].
    pub fn update(&self, f: fn(T) -> T) -> Result<T, ManagerError> {
        let f = offset(f as *const ())?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, f);
            Ok(())
        };
        let entry: Entry = value::update::<T>;
        self.held.enter::<T, _>(entry as *const (), write, take_last)
    }

    /// Puts `new` there if the value is `old`, that is, is encoded as `old` is; whether it was. A value with handles in it never is.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn compare_and_swap(&self, old: &T, new: &T) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put(bytes, old)?;
            put_last(bytes, new)
        };
        self.held.call::<T, _>(Method::Exchange as u32, write, take_flag)
    }
}

fn some<T: Item>(bytes: &[u8]) -> Result<T, ManagerError> {
    take_option(bytes)?.ok_or_else(cut_short)
}
