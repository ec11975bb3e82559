//! `channel`: a queue whose two kinds of handles are told apart, so that either side learns when the other is gone.

use super::{
    core::{Core, Limit, Needs},
    error::{RecvError, SendError, SendErrorKind},
    hold::Hold,
    incoming::Incoming,
    message,
    put_off::PutOff,
    queue::{Iter, fingerprint},
    raw::Role,
};
use core::{fmt, marker::PhantomData, time::Duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// A channel for up to `capacity` messages: what its senders send, its receivers receive.
///
/// Both ends are handles: they can be cloned, and sent to any process of the program. When the last [`Sender`] is gone, receivers get what is
/// left and then [`RecvError::Disconnected`]; when the last [`Receiver`] is gone, sending fails with
/// [`SendErrorKind::Disconnected`]. A process that is killed lets go of its ends.
///
/// # Errors
/// If there is no memory or no descriptor for it, or the capacity is 0.
///
/// # Examples
/// ```
/// use psync::{channel, spawn};
///
/// let (sender, receiver) = channel(4)?;
/// let child = spawn(
///     |sender: psync::Sender<u64>| (1..=10).all(|n| sender.send(n).is_ok()),
///     sender, // moved: the child has the only one
/// )?;
/// let mut sum = 0;
/// for number in &receiver {
///     sum += number;
/// }
/// assert_eq!(sum, 55);
/// assert!(child.join()?);
/// # Ok::<(), psync::Error>(())
/// ```
pub fn channel<T>(capacity: usize) -> crate::Result<(Sender<T>, Receiver<T>)> {
    if capacity == 0 {
        let reason = "a channel needs room for a message";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason).into());
    }
    let core = Core::create(capacity as u64, fingerprint::<T>())?;
    let receiver = Hold::new(core.clone())?;
    let sender = Hold::new(core)?;
    Ok((Sender::holding(sender), Receiver::holding(receiver)))
}

/// The sending end of a [`channel`].
pub struct Sender<T> {
    hold: Hold<true, false>,
    carries: PhantomData<fn(T)>,
}

/// The receiving end of a [`channel`].
///
/// # Examples
/// ```
/// use psync::RecvError;
/// use std::time::Duration;
///
/// let (sender, receiver) = psync::channel(1)?;
/// sender.send_timeout(7, Duration::from_secs(1))?;
/// assert!(sender.is_full());
/// assert_eq!(receiver.recv_timeout(Duration::from_secs(1))?, 7);
/// drop(sender);
/// assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Receiver<T> {
    hold: Hold<false, true>,
    put_off: PutOff,
    carries: PhantomData<fn() -> T>,
}

impl<T> Sender<T> {
    fn holding(hold: Hold<true, false>) -> Self {
        Self { hold, carries: PhantomData }
    }
}

impl<T> Receiver<T> {
    fn holding(hold: Hold<false, true>) -> Self {
        Self { hold, put_off: PutOff::default(), carries: PhantomData }
    }
}

impl<T: Serialize + 'static> Sender<T> {
    const NEEDS: Needs = Needs::anybody::<Self>(Role::Receiver);

    /// Sends a value, waiting while there is no room.
    ///
    /// # Errors
    /// The value comes back: if no receiver is left, the value cannot be encoded, there is no memory for it, or all who could make room wait for this one
    /// ([`SendErrorKind::Deadlock`]).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::FOREVER)
    }

    /// Sends a value if there is room for it.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`SendErrorKind::Full`] if there is none.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::Try)
    }

    /// Sends a value, waiting for room until `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`SendErrorKind::TimedOut`] if there was no room.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.send_within(value, Limit::after(timeout))
    }

    #[inline]
    #[track_caller]
    fn send_within(&self, value: T, limit: Limit) -> Result<(), SendError<T>> {
        let core = self.hold.core();
        if !core.has_receivers() {
            return Err(SendError::new(value, SendErrorKind::Disconnected));
        }
        match message::send(core, &value, Self::NEEDS, limit) {
            Ok(()) => Ok(()),
            Err((kind, None)) => Err(SendError::new(value, kind)),
            Err((kind, Some(reason))) => Err(SendError::because(value, kind, reason)),
        }
    }

    /// Sends all values, one after the other, waiting while there is no room.
    ///
    /// # Errors
    /// As [`send`](Self::send), with the value that was not sent; those after it stay where they are.
    #[track_caller]
    pub fn send_all(&self, values: impl IntoIterator<Item = T>) -> Result<(), SendError<T>> {
        values.into_iter().try_for_each(|value| self.send(value))
    }
}

impl<T> Sender<T> {
    pub(crate) fn core(&self) -> &Core {
        self.hold.core()
    }

    /// How many messages wait at this moment.
    pub fn len(&self) -> usize {
        usize::try_from(self.hold.core().head().len()).unwrap_or(usize::MAX)
    }

    /// Whether none waits at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for another message at this moment.
    pub fn is_full(&self) -> bool {
        self.hold.core().head().is_full()
    }
}

impl<T: DeserializeOwned + 'static> Receiver<T> {
    /// Receives the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`RecvError::Disconnected`] if there is none and no sender is left, [`RecvError::Decode`]; [`RecvError::Deadlock`] if all who could send wait for this one.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.receive_within(Limit::FOREVER)
    }

    /// Receives the oldest message if there is one.
    ///
    /// # Errors
    /// [`RecvError::Empty`] if there is none, otherwise as [`recv`](Self::recv).
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

    /// All messages, as they come, until no sender is left. A message that cannot be decoded ends the iteration as well, and the next
    /// [`recv`](Self::recv) by this handle returns why; until it was asked, there are no further messages here.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self.core(), Self::NEEDS, &self.put_off)
    }

    /// Waits for a message, and receives up to `most` of those that are there then. Empty if no sender is left. A message that cannot be
    /// decoded ends the batch, as it ends an [iteration](Self::iter): what was received before it is returned, and after an empty batch
    /// [`recv`](Self::recv) says why.
    #[track_caller]
    pub fn recv_many(&self, most: usize) -> Vec<T> {
        self.put_off.batch(most, |limit| message::receive(self.core(), Self::NEEDS, limit))
    }
}

impl<'a, T: DeserializeOwned + 'static> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Receiver<T> {
    const NEEDS: Needs = Needs::anybody::<Self>(Role::Sender);

    pub(crate) fn core(&self) -> &Core {
        self.hold.core()
    }

    pub(crate) fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self.core(), Self::NEEDS, self.put_off.is_some())
    }

    /// How many messages wait at this moment.
    pub fn len(&self) -> usize {
        usize::try_from(self.core().head().len()).unwrap_or(usize::MAX)
    }

    /// Whether none waits at this moment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! handle {
    ($end:ident) => {
        impl<T> Clone for $end<T> {
            fn clone(&self) -> Self {
                Self::holding(self.hold.clone())
            }
        }

        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = core::any::type_name::<T>();
                write!(f, concat!(stringify!($end), "<{}>({} messages)"), name, self.len())
            }
        }

        impl<T> Serialize for $end<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.hold.as_serialize(fingerprint::<T>()).serialize(serializer)
            }
        }

        impl<'de, T> Deserialize<'de> for $end<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Hold::arrive(deserializer, fingerprint::<T>()).map(Self::holding)
            }
        }
    };
}
handle!(Sender);
handle!(Receiver);
