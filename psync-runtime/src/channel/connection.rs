//! `pipe`: two connected ends, each of which sends one type and receives another.

use super::{
    codec,
    core::Limit,
    error::{RecvError, SendError, SendErrorKind},
    outbox,
    packet::{self, Arrived, Ended},
};
use crate::{
    shm::{
        self,
        segment::Inode,
        transfer,
        world::{Blocking, Operation, Site, Slept, Wake, Whom},
    },
    sys::{clock::Deadline, socket},
};
use core::{fmt, marker::PhantomData, time::Duration};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};
use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

/// Two ends of a pipe: what one sends, the other receives.
///
/// `A` is what the first end sends and the second receives, `B` the other way round.
///
/// # Errors
/// If there is no descriptor for it.
///
/// # Examples
/// ```
/// use psync::{Connection, pipe, spawn};
///
/// let (desk, clerk) = pipe::<String, usize>()?;
/// let child = spawn(
///     |clerk: Connection<usize, String>| {
///         while let Ok(text) = clerk.recv() {
///             let _ = clerk.send(&text.len());
///         }
///     },
///     clerk, // moved: the child has the only one
/// )?;
/// desk.send(&"acorn".to_owned())?;
/// assert_eq!(desk.recv()?, 5);
/// drop(desk);
/// child.join()?;
/// # Ok::<(), psync::Error>(())
/// ```
pub fn pipe<A, B>() -> crate::Result<(Connection<A, B>, Connection<B, A>)> {
    let (one, other) = socket::message_pair()?;
    Ok((Connection::new(one)?, Connection::new(other)?))
}

/// One end of a [`pipe`]: sends `S`, receives `R`.
///
/// It can be sent to any process of the program; a process that sends it away and keeps it shares the end with the other. Messages
/// of several senders do not mix, and each goes to one receiver. So threads may share an end, too.
///
/// **When a process dies**, its ends close. When all ends of the other side are closed, what is left can be received, then receives end with
/// [`RecvError::Disconnected`], and sends fail with [`SendErrorKind::Disconnected`]. A message is received whole or not at
/// all.
///
/// It is [pollable](AsFd), also by `wait_any`: readable when there is a message or the other side is gone.
///
/// # Examples
/// ```
/// use psync::{RecvError, pipe};
/// use std::time::Duration;
///
/// let (left, right) = pipe::<String, u32>()?;
/// assert_eq!(left.recv_timeout(Duration::from_millis(1)), Err(RecvError::TimedOut));
/// right.send_bytes(b"raw")?;
/// right.send_bytes(b"more")?;
/// assert!(left.poll(Duration::from_secs(1)));
/// assert_eq!(left.recv_bytes()?, b"raw");
/// let mut place = [0; 8];
/// let length = left.recv_bytes_into(&mut place)?;
/// assert_eq!(&place[..length], b"more");
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Connection<S, R> {
    socket: Arc<OwnedFd>,
    inode: Inode,
    carries: PhantomData<fn(S) -> R>,
}

impl<S, R> Connection<S, R> {
    fn new(socket: OwnedFd) -> crate::Result<Self> {
        let (inode, _) = transfer::inode_of(&socket)?;
        Ok(Self { socket: Arc::new(socket), inode, carries: PhantomData })
    }

    /// Whether a receive would end at once: there is a message, or the other side is gone. Waits for that until `timeout` is over.
    pub fn poll(&self, timeout: Duration) -> bool {
        if !timeout.is_zero() {
            outbox::prune();
        }
        packet::is_readable(&self.socket, Deadline::after(timeout))
    }

    /// Sends bytes as they are, waiting while there is no room.
    ///
    /// # Errors
    /// If the other side is gone, or there is no memory for them.
    #[track_caller]
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), SendError<()>> {
        self.send_packet(bytes, &mut shm::Luggage::default())
    }

    #[track_caller]
    fn send_packet(&self, bytes: &[u8], luggage: &mut shm::Luggage) -> Result<(), SendError<()>> {
        let site = Site::here::<Self>(Operation::Send);
        let wait = || {
            let wait = |until| packet::is_writable(&self.socket, until);
            let _ = rest(Deadline::NEVER, site, wait);
        };
        match packet::send(&self.socket, bytes, luggage.carried(), wait) {
            Ok(()) => {
                luggage.depart();
                Ok(())
            }
            Err(Ended::Disconnected) => Err(SendError::new((), SendErrorKind::Disconnected)),
            Err(Ended::System(error)) => {
                Err(SendError::because((), SendErrorKind::System, error.to_string()))
            }
        }
    }

    /// Receives the bytes of the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`RecvError::Disconnected`], [`RecvError::Decode`] if the message cannot be taken in.
    #[track_caller]
    pub fn recv_bytes(&self) -> Result<Vec<u8>, RecvError> {
        self.receive(Limit::FOREVER).map(|arrived| arrived.bytes)
    }

    /// The same into a place of the caller's; how many they are.
    ///
    /// # Errors
    /// As [`recv_bytes`](Self::recv_bytes); [`RecvError::Decode`] if they are more than there is room for, and then they are gone.
    #[track_caller]
    pub fn recv_bytes_into(&self, place: &mut [u8]) -> Result<usize, RecvError> {
        let bytes = self.recv_bytes()?;
        let room = place.len();
        let Some(place) = place.get_mut(..bytes.len()) else {
            let reason = format!("it has {} bytes, and there is room for {room}", bytes.len());
            return Err(RecvError::Decode(reason));
        };
        place.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    #[track_caller]
    fn receive(&self, limit: Limit) -> Result<Arrived, RecvError> {
        loop {
            match packet::try_receive(&self.socket) {
                Ok(Some(arrived)) => return Ok(arrived),
                Ok(None) if !limit.waits() => return Err(RecvError::Empty),
                Ok(None) => {}
                Err(Ended::Disconnected) => return Err(RecvError::Disconnected),
                Err(Ended::System(error)) => return Err(RecvError::Decode(error.to_string())),
            }
            outbox::prune();
            let site = Site::here::<Self>(Operation::Receive);
            if !rest(limit.deadline(), site, |until| packet::is_readable(&self.socket, until)) {
                return Err(RecvError::TimedOut);
            }
        }
    }
}

impl<S: Serialize, R> Connection<S, R> {
    /// Sends a value, waiting while there is no room.
    ///
    /// # Errors
    /// If the other side is gone, the value cannot be encoded, or there is no memory for it.
    #[track_caller]
    pub fn send(&self, value: &S) -> Result<(), SendError<()>> {
        let mut bytes = Vec::new();
        let (encoded, mut luggage) = shm::collect(|| codec::encode_message(value, &mut bytes));
        encoded
            .map_err(|error| SendError::because((), SendErrorKind::Encode, String::from(error)))?;
        self.send_packet(&bytes, &mut luggage)
    }
}

impl<S, R: DeserializeOwned> Connection<S, R> {
    /// Receives the oldest message, waiting until there is one.
    ///
    /// # Errors
    /// [`RecvError::Disconnected`] if there is none and the other side is gone, [`RecvError::Decode`].
    #[track_caller]
    pub fn recv(&self) -> Result<R, RecvError> {
        self.receive_within(Limit::FOREVER)
    }

    /// Receives the oldest message if there is one.
    ///
    /// # Errors
    /// [`RecvError::Empty`] if there is none, otherwise as [`recv`](Self::recv).
    #[track_caller]
    pub fn try_recv(&self) -> Result<R, RecvError> {
        self.receive_within(Limit::Try)
    }

    /// Receives the oldest message, waiting for one until `timeout` is over. With a timeout of zero, tries once.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); [`RecvError::TimedOut`] if there was none.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R, RecvError> {
        self.receive_within(Limit::after(timeout))
    }

    #[track_caller]
    fn receive_within(&self, limit: Limit) -> Result<R, RecvError> {
        let Arrived { bytes, carried } = self.receive(limit)?;
        transfer::offer_carried(carried, || codec::decode_message(&bytes))
            .map_err(|error| RecvError::Decode(error.into()))
    }
}

/// Waits where others can see it. Nobody knows who has the other end, so that it is in no circle.
fn rest(deadline: Deadline, site: Site, wait: impl FnOnce(Deadline) -> bool) -> bool {
    let blocking = Blocking::new(deadline, Some(site));
    let wait = |until| if wait(until) { Wake::Look } else { Wake::TimedOut };
    blocking.rest(Deadline::NEVER, Whom::Unknown, wait) == Slept::Woke(Wake::Look)
}

impl<S, R> AsFd for Connection<S, R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<S, R> fmt::Debug for Connection<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sends, receives) = (core::any::type_name::<S>(), core::any::type_name::<R>());
        write!(f, "Connection<{sends}, {receives}>({})", self.inode.1)
    }
}

impl<S, R> Serialize for Connection<S, R> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        transfer::record_socket(&self.socket, self.inode);
        self.inode.serialize(serializer)
    }
}

impl<'de, S, R> Deserialize<'de> for Connection<S, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let inode = Inode::deserialize(deserializer)?;
        let missing = || D::Error::custom("the connection itself did not come along");
        let socket = transfer::take_socket(inode).ok_or_else(missing)?;
        Ok(Self { socket, inode, carries: PhantomData })
    }
}
