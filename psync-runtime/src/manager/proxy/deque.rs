//! `DequeProxy`: a double-ended queue that processes share.

use super::{nothing, number, proxy, take_len};
use crate::manager::{
    Item, Manager, ManagerError,
    held::Held,
    object::{Kind, deque::Method},
    wire::{put, put_last, put_number, take_all, take_nothing, take_option},
};

proxy! {
    /// A double-ended queue in a manager's server: what `VecDeque` is in one process.
    ///
    /// Nobody waits at it: to wait for values, use a [`Queue`](crate::channel::Queue).
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let line = manager.deque()?;
    /// line.extend(["b".to_owned(), "c".to_owned()])?;
    /// line.push_front("a".to_owned())?;
    /// assert_eq!(line.pop_back()?.as_deref(), Some("c"));
    /// assert_eq!(line.to_vec()?, ["a", "b"]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    DequeProxy<T>
}

impl Manager {
    /// A new double-ended queue.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn deque<T: Item>(&self) -> Result<DequeProxy<T>, ManagerError> {
        Held::make(self.server(), Kind::Deque as u32).map(DequeProxy::holding)
    }
}

impl<T: Item> DequeProxy<T> {
    /// Adds a value at the back.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn push_back(&self, value: T) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &value);
        self.held.call::<T, _>(Method::PushBack as u32, write, take_nothing)
    }

    /// Adds a value at the front.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn push_front(&self, value: T) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &value);
        self.held.call::<T, _>(Method::PushFront as u32, write, take_nothing)
    }

    /// Adds all values at the back, in one step.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn extend(&self, values: impl IntoIterator<Item = T>) -> Result<(), ManagerError> {
        let write = |bytes: &mut Vec<u8>| values.into_iter().try_for_each(|v| put(bytes, &v));
        self.held.call::<T, _>(Method::Extend as u32, write, take_nothing)
    }

    /// Takes the value at the back out; `None` if there is none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn pop_back(&self) -> Result<Option<T>, ManagerError> {
        self.held.call::<T, _>(Method::PopBack as u32, nothing, take_option)
    }

    /// Takes the value at the front out; `None` if there is none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn pop_front(&self) -> Result<Option<T>, ManagerError> {
        self.held.call::<T, _>(Method::PopFront as u32, nothing, take_option)
    }

    /// The value at the front, which stays there.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn front(&self) -> Result<Option<T>, ManagerError> {
        self.get(0)
    }

    /// The value at the back, which stays there.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::Manager;
    ///
    /// let manager = Manager::start()?;
    /// let plates = manager.deque()?;
    /// plates.extend(["blue".to_owned(), "red".to_owned()])?;
    /// assert_eq!(plates.back()?.as_deref(), Some("red"));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn back(&self) -> Result<Option<T>, ManagerError> {
        self.held.call::<T, _>(Method::Back as u32, nothing, take_option)
    }

    /// The value at `index`, counted from the front, if there is one.
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
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, index as u64);
            put_last(bytes, &value)
        };
        self.held.call::<T, _>(Method::Set as u32, write, take_nothing)
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

    /// All values from the front to the back, as they are at one moment.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, 0);
            put_number(bytes, u64::MAX);
            Ok(())
        };
        self.held.call::<T, _>(Method::Part as u32, write, take_all)
    }

    /// Moves as many values from the front to the back; as often round as that takes.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn rotate_left(&self, steps: usize) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Rotate as u32, number(steps), take_nothing)
    }

    /// Takes all values out.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.held.call::<T, _>(Method::Clear as u32, nothing, take_nothing)
    }
}
