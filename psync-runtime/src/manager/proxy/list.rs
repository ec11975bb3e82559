//! `ListProxy`: a vector that processes share.

use super::{nothing, number, proxy, take_len};
use crate::manager::{
    Item, Manager, ManagerError,
    held::Held,
    object::{
        Kind,
        list::{self, Method},
    },
    serve::Entry,
    wire::{
        offset, put, put_last, put_number, take_all, take_flag, take_last, take_nothing,
        take_option,
    },
};

/// How many values an iteration fetches at a time.
const PAGE: usize = 1024;

proxy! {
    /// A list in a manager's server: what `Vec` is in one process.
    ///
    /// Each call is one step that nobody else comes between. A value comes out as a copy, which is the reader's own; a proxy in a value is the same object everywhere.
    ///
    /// # Examples
    /// ```
    /// use psync::{Manager, manager::ListProxy, spawn};
    ///
    /// let manager = Manager::start()?;
    /// let zoo = manager.list()?;
    /// zoo.extend(["zebra".to_owned(), "ape".to_owned()])?;
    /// let keeper = spawn(|zoo: ListProxy<String>| zoo.push("lion".to_owned()).is_ok(), zoo.clone())?;
    /// assert!(keeper.join()?);
    /// zoo.sort()?;
    /// assert_eq!(zoo.to_vec()?, ["ape", "lion", "zebra"]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    ///
    /// Lists in lists are the lists themselves:
    /// ```
    /// use psync::{Manager, manager::ListProxy};
    ///
    /// let manager = Manager::start()?;
    /// let inner = manager.list::<u32>()?;
    /// let outer = manager.list::<ListProxy<u32>>()?;
    /// outer.push(inner.clone())?;
    /// inner.push(7)?;
    /// assert_eq!(outer.get(0)?.expect("it is there").to_vec()?, [7]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    ListProxy<T>
}

impl Manager {
    /// A new list.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn list<T: Item>(&self) -> Result<ListProxy<T>, ManagerError> {
        Held::make(self.server(), Kind::List as u32).map(ListProxy::holding)
    }
}

impl<T: Item> ListProxy<T> {
    /// Adds a value at the end.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn push(&self, value: T) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &value);
        self.held.call::<T, _>(Method::Push as u32, write, take_nothing)
    }

    /// Adds all values at the end, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn extend(&self, values: impl IntoIterator<Item = T>) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| values.into_iter().try_for_each(|v| put(bytes, &v));
        self.held.call::<T, _>(Method::Extend as u32, write, take_nothing)
    }

    /// Takes the last value out; `None` if the list is empty.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn pop(&self) -> Result<Option<T>, ManagerError> {
        self.held.call::<T, _>(Method::Pop as u32, nothing, take_option)
    }

    /// Puts a value in front of the one at `index`, or at the end.
    ///
    /// # Errors
    /// [`ManagerError::OutOfRange`] if the index is beyond the end, [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn insert(&self, index: usize, value: T) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Insert as u32, at(index, &value), take_nothing)
    }

    /// Takes the value at `index` out.
    ///
    /// # Errors
    /// [`ManagerError::OutOfRange`] if there is none, [`ManagerError::Lost`].
    pub fn remove(&self, index: usize) -> Result<T, ManagerError> {
        self.held.call::<T, _>(Method::Remove as u32, number(index), take_last)
    }

    /// The value at `index`, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn get(&self, index: usize) -> Result<Option<T>, ManagerError> {
        self.held.call::<T, _>(Method::Get as u32, number(index), take_option)
    }

    /// Puts a value in the place of the one at `index`.
    ///
    /// # Errors
    /// [`ManagerError::OutOfRange`] if there is none, [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn set(&self, index: usize, value: T) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Set as u32, at(index, &value), take_nothing)
    }

    /// Replaces the value at `index` by what `f` makes of it, in one step that nobody comes between, and returns what is there then. `f` runs in the server, and so
    /// captures nothing.
    ///
    /// # Errors
    /// [`ManagerError::OutOfRange`] if there is none, [`ManagerError::Panicked`] if `f` panics; the value stays. [`ManagerError::Lost`].
    pub fn update_with(&self, index: usize, f: fn(T) -> T) -> Result<T, ManagerError> {
        let f = offset(f as *const ())?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, f);
            put_number(bytes, index as u64);
            Ok(())
        };
        let entry: Entry = list::update::<T>;
        self.held.enter::<T, _>(entry as *const (), write, take_last)
    }

    /// Puts `new` at `index` if what is there is `old`, that is, is encoded as `old` is; whether it was. A value with handles in it never is.
    ///
    /// # Errors
    /// [`ManagerError::OutOfRange`] if there is nothing, [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn compare_and_swap(&self, index: usize, old: &T, new: &T) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, index as u64);
            put(bytes, old)?;
            put_last(bytes, new)
        };
        self.held.call::<T, _>(Method::Exchange as u32, write, take_flag)
    }

    /// Keeps the values for which `f` says so, in one step, and returns how many are left. `f` runs in the server, and so captures nothing.
    ///
    /// # Errors
    /// [`ManagerError::Panicked`] if `f` panics; the list stays as it is. [`ManagerError::Lost`].
    pub fn retain(&self, f: fn(&T) -> bool) -> Result<usize, ManagerError> {
        let f = offset(f as *const ())?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, f);
            Ok(())
        };
        let entry: Entry = list::retain::<T>;
        self.held.enter::<T, _>(entry as *const (), write, take_len)
    }

    /// How many values there are.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.held.call::<T, _>(Method::Len as u32, nothing, take_len)
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// Whether a value is in the list, that is, one that is encoded as it is. A value with handles in it never is.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn contains(&self, value: &T) -> Result<bool, ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, value);
        self.held.call::<T, _>(Method::Contains as u32, write, take_flag)
    }

    /// All values, as they are at one moment. Iterate over this to see each of them once.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        self.range(0, usize::MAX)
    }

    /// Up to `most` values from `start` on, as they are at one moment.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn range(&self, start: usize, most: usize) -> Result<Vec<T>, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, start as u64);
            put_number(bytes, most as u64);
            Ok(())
        };
        self.held.call::<T, _>(Method::Part as u32, write, take_all)
    }

    /// The values, fetched a thousand at a time, for lists that are too large for [`to_vec`](Self::to_vec). Values that others move meanwhile may be seen twice, or not at all. It ends
    /// with the first error.
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let list = manager.list()?;
    /// list.extend(0..5000_u32)?;
    /// assert_eq!(list.iter().map(|n| n.expect("the server is there")).sum::<u32>(), 4999 * 2500);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Result<T, ManagerError>> + '_ {
        let mut page = Vec::new().into_iter();
        let mut next = Some(0);
        core::iter::from_fn(move || {
            if page.len() == 0 {
                let start = next?;
                match self.range(start, PAGE) {
                    Ok(values) => {
                        next = (values.len() == PAGE).then_some(start + PAGE);
                        page = values.into_iter();
                    }
                    Err(error) => {
                        next = None;
                        return Some(Err(error));
                    }
                }
            }
            page.next().map(Ok)
        })
    }

    /// Sorts the list, in one step. Values that are equal stay in their order.
    ///
    /// # Errors
    /// [`ManagerError::Panicked`] if comparing panics; the list stays as it is. [`ManagerError::Lost`].
    pub fn sort(&self) -> Result<(), ManagerError>
    where
        T: Ord,
    {
        let entry: Entry = list::sort::<T>;
        self.held.enter::<T, _>(entry as *const (), nothing, take_nothing)
    }

    /// Turns the order round.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn reverse(&self) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Reverse as u32, nothing, take_nothing)
    }

    /// Takes all values out that are beyond the first `len`.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn truncate(&self, len: usize) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Truncate as u32, number(len), take_nothing)
    }

    /// Takes all values out.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.truncate(0)
    }
}

fn at<T: Item>(
    index: usize,
    value: &T,
) -> impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError> + '_ {
    move |bytes| {
        put_number(bytes, index as u64);
        put_last(bytes, value)
    }
}
