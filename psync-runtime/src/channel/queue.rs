//! `Queue`: many producers, many consumers, any of which may be killed.

use super::{
    core::{Core, Limit, Needs},
    error::{RecvError, SendError},
    hold::Hold,
    incoming::Incoming,
    message,
    put_off::PutOff,
};
use crate::primitive::Ordering;
use core::{fmt, marker::PhantomData, time::Duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::sync::Arc;

/// A queue between processes: every message goes to one receiver, in the order in which they were sent.
///
/// It is a handle, like `Arc`: `Clone` makes another one to the same queue, and it may be sent to any process of the program, as an
/// argument, as a result, or through another queue. Any number of processes and threads may send and receive at once.
///
/// A message is there whole or not at all. What was sent belongs to the queue: whoever sent it may end at once. Messages are values
/// that serde can encode; numbers, strings and vectors of numbers are copied as they are. Handles in a message, such as
/// [`Shared`](crate::shm::Shared), are shared and not copied.
///
/// **When a process dies** while it sends, its message is there or it is not; while it receives, at most the message that it was just taking is gone.
/// Nobody is held up. When no other process holds the queue any more, a blocked [`recv`](Self::recv) ends with
/// [`RecvError::Disconnected`]; what is left in the queue can be received before.
///
/// **When those that hold it wait for each other**, so that nobody is left who could send what one waits for, or receive where one waits for room, one of them gets
/// [`RecvError::Deadlock`] or [`SendErrorKind::Deadlock`](super::SendErrorKind::Deadlock) within a second. See [`DeadlockReport`](crate::sync::DeadlockReport).
///
/// # Examples
/// ```
/// use psync::{Queue, spawn};
///
/// let queue = Queue::bounded(8)?;
/// let child = spawn(|queue: Queue<String>| queue.send("acorn".to_owned()).is_ok(), queue.clone())?;
/// assert_eq!(queue.recv()?, "acorn");
/// assert!(child.join()?);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::{Queue, RecvError, SendErrorKind};
/// use std::time::Duration;
///
/// let queue = Queue::bounded(1)?;
/// assert_eq!(queue.capacity(), Some(1));
/// assert_eq!(queue.recv_timeout(Duration::from_millis(1)), Err(RecvError::TimedOut));
/// queue.send_timeout(7, Duration::from_secs(1))?;
/// assert!(queue.is_full());
/// let error = queue.send_timeout(8, Duration::from_millis(1)).unwrap_err();
/// assert_eq!(error.kind(), SendErrorKind::TimedOut);
/// assert!(error.deadlock().is_none());
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Queue<T> {
    hold: Hold<true, true>,
    put_off: PutOff,
    carries: PhantomData<fn(T) -> T>,
}

impl<T> Queue<T> {
    const NEEDS: Needs = Needs::other_process::<Self>();

    /// A queue for up to `capacity` messages, of any size: a send waits while there are as many.
    ///
    /// # Errors
    /// If there is no memory or no descriptor for it, or the capacity is 0.
    pub fn bounded(capacity: usize) -> crate::Result<Self> {
        if capacity == 0 {
            let reason = "a queue needs room for a message";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason).into());
        }
        Self::create(capacity as u64)
    }

    /// A queue for as many messages as there is memory for.
    ///
    /// # Errors
    /// If there is no memory or no descriptor for it.
    pub fn unbounded() -> crate::Result<Self> {
        Self::create(0)
    }

    fn create(capacity: u64) -> crate::Result<Self> {
        let core = Core::create(capacity, fingerprint::<T>())?;
        Ok(Self::holding(Hold::new(core)?))
    }

    fn holding(hold: Hold<true, true>) -> Self {
        Self { hold, put_off: PutOff::default(), carries: PhantomData }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.hold.core()
    }

    pub(crate) fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self.core(), Self::NEEDS, self.put_off.is_some())
    }

    /// Whether nothing can be sent any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.core().head().is_closed()
    }

    /// How many messages it holds at this moment.
    pub fn len(&self) -> usize {
        usize::try_from(self.core().head().len()).unwrap_or(usize::MAX)
    }

    /// Whether it holds none at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for another message at this moment.
    pub fn is_full(&self) -> bool {
        self.core().head().is_full()
    }

    /// For how many messages there is room; `None` if there is no limit.
    pub fn capacity(&self) -> Option<usize> {
        match self.core().head().capacity.load(Ordering::Relaxed) {
            0 => None,
            capacity => usize::try_from(capacity).ok(),
        }
    }

    /// Ends the queue, for all who hold it: nothing can be sent any more. What is there can still be received; then
    /// receivers get [`RecvError::Closed`]. Whoever waits is woken.
    ///
    /// # Examples
    /// ```
    /// use psync::Queue;
    ///
    /// let queue = Queue::unbounded()?;
    /// queue.send(1)?;
    /// queue.close();
    /// assert!(queue.send(2).is_err());
    /// assert_eq!(queue.iter().collect::<Vec<i32>>(), [1]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn close(&self) {
        self.core().close();
    }
}

impl<T: Serialize + 'static> Queue<T> {
    /// Sends a value, waiting while there is no room.
    ///
    /// # Errors
    /// The value comes back: if the queue is closed, the value cannot be encoded, there is no memory for it, or there is no room and no other process
    /// is left that could make some, or those that could wait for this one ([`SendErrorKind::Deadlock`](super::SendErrorKind::Deadlock)).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::FOREVER)
    }

    /// Sends a value if there is room for it.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`SendErrorKind::Full`](super::SendErrorKind::Full) if there is none.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::Try)
    }

    /// Sends a value, waiting for room until `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`SendErrorKind::TimedOut`](super::SendErrorKind::TimedOut) if there was no room.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::after(timeout))
    }

    #[inline]
    #[track_caller]
    fn send_within(&self, value: T, limit: Limit) -> Result<(), SendError<T>> {
        match message::send(self.core(), &value, Self::NEEDS, limit) {
            Ok(()) => Ok(()),
            Err((kind, None)) => Err(SendError::new(value, kind)),
            Err((kind, Some(reason))) => Err(SendError::because(value, kind, reason)),
        }
    }

    /// Sends all values, one after the other, waiting while there is no room.
    ///
    /// # Errors
    /// As [`send`](Self::send), with the value that was not sent; those after it stay where they are.
    ///
    /// # Examples
    /// ```
    /// use psync::Queue;
    ///
    /// let queue = Queue::unbounded()?;
    /// queue.send_all(0..100)?;
    /// assert_eq!(queue.recv_many(200).len(), 100);
    /// # Ok::<(), psync::Error>(())
    /// ```
    #[track_caller]
    pub fn send_all(&self, values: impl IntoIterator<Item = T>) -> Result<(), SendError<T>> {
        values.into_iter().try_for_each(|value| self.send(value))
    }
}

impl<T: DeserializeOwned + 'static> Queue<T> {
    /// Receives the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`RecvError::Closed`], [`RecvError::Disconnected`], [`RecvError::Decode`]; [`RecvError::Deadlock`] if all who could send one wait for this one.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.receive_within(Limit::FOREVER)
    }

    /// Receives the oldest message if there is one.
    ///
    /// # Errors
    /// [`RecvError::Empty`] if there is none, [`RecvError::Closed`], [`RecvError::Decode`].
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, RecvError> {
        self.receive_within(Limit::Try)
    }

    /// Receives the oldest message, waiting for one until `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); [`RecvError::TimedOut`] if there was none.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvError> {
        self.receive_within(Limit::after(timeout))
    }

    #[inline]
    #[track_caller]
    fn receive_within(&self, limit: Limit) -> Result<T, RecvError> {
        self.put_off.first()?;
        message::receive(self.core(), Self::NEEDS, limit)
    }

    /// All messages, as they come, until the queue is closed or nobody else is left. A message that cannot be decoded, or a deadlock, ends the iteration as
    /// well, and the next [`recv`](Self::recv) by this handle returns why; until it was asked, there are no further messages here.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self.core(), Self::NEEDS, &self.put_off)
    }

    /// Waits for a message, and receives up to `most` of those that are there then. Empty if the queue is closed or nobody else is
    /// left. A message that cannot be decoded ends the batch, as it ends an [iteration](Self::iter): what was received before it is returned,
    /// and after an empty batch [`recv`](Self::recv) says why.
    #[track_caller]
    pub fn recv_many(&self, most: usize) -> Vec<T> {
        self.put_off.batch(most, |limit| message::receive(self.core(), Self::NEEDS, limit))
    }
}

/// The messages of a [`Queue`] or of a [`Receiver`](super::Receiver), as they come.
///
/// # Examples
/// ```
/// let queue = psync::Queue::unbounded()?;
/// queue.send_all(["a".to_owned(), "b".to_owned()])?;
/// queue.close();
/// assert_eq!(queue.iter().collect::<Vec<_>>(), ["a", "b"]);
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Debug)]
pub struct Iter<'a, T> {
    core: &'a Core,
    needs: Needs,
    put_off: &'a PutOff,
    carries: PhantomData<fn() -> T>,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(core: &'a Core, needs: Needs, put_off: &'a PutOff) -> Self {
        Self { core, needs, put_off, carries: PhantomData }
    }
}

impl<T: DeserializeOwned + 'static> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.put_off.next(|| message::receive(self.core, self.needs, Limit::FOREVER))
    }
}

impl<'a, T: DeserializeOwned + 'static> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self::holding(self.hold.clone())
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue<{}>({} messages)", core::any::type_name::<T>(), self.len())
    }
}

impl<T> Serialize for Queue<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.hold.as_serialize(fingerprint::<T>()).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Queue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hold::arrive(deserializer, fingerprint::<T>()).map(Self::holding)
    }
}

/// Tells messages of one type from those of another.
pub(crate) fn fingerprint<T>() -> u64 {
    let name = core::any::type_name::<T>().bytes();
    name.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
