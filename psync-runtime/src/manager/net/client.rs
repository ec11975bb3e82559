//! `Client`: one end of an authenticated connection.

use super::{
    Address, auth,
    frame::{Receiving, Sending},
    stream::{Stream, failed},
};
use crate::{channel::codec, manager::ManagerError, shm::world::me, sys::clock::Deadline};
use core::{fmt, time::Duration};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Mutex, PoisonError};

/// One end of an authenticated connection with another program, which may be on another host.
///
/// Both ends know the key, and each has proved that to the other. Every message bears a mark that only somebody with the key can make, and that holds for its place in
/// this connection only. **The connection is not encrypted**: who can listen to the network reads what is sent.
///
/// Messages are values of serde, or bytes. Handles cannot be sent: shared memory does not reach to another program.
///
/// # Examples
/// ```
/// use psync::manager::{Client, Listener};
///
/// let listener = Listener::bind("127.0.0.1:0", b"open sesame")?;
/// let address = listener.address().to_string();
/// let asking = std::thread::spawn(move || {
///     let client = Client::connect(address, b"open sesame")?;
///     client.send(&("acorn", 7_u32))?;
///     client.recv::<String>()
/// });
/// let client = listener.accept()?;
/// assert_eq!(client.recv::<(String, u32)>()?, ("acorn".to_owned(), 7));
/// client.send("thanks")?;
/// assert_eq!(asking.join().expect("no panic")?, "thanks");
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Client {
    sending: Mutex<Sending>,
    receiving: Mutex<Receiving>,
    /// The process whose it is: a forked copy must neither use it nor end it.
    pid: i32,
}

impl Client {
    pub(super) fn new(stream: Stream, keys: auth::Keys) -> Result<Self, ManagerError> {
        let copy = stream.try_clone().map_err(|error| failed("cannot share the socket", &error))?;
        Ok(Self {
            sending: Mutex::new(Sending::new(copy, keys.send)),
            receiving: Mutex::new(Receiving::new(stream, keys.receive)),
            pid: me().pid,
        })
    }

    /// Whether this process made it, and is no forked copy of the one that did.
    pub(in crate::manager) fn is_ours(&self) -> bool {
        self.pid == me().pid
    }

    /// Connects to a [`Listener`](super::Listener) at `address`, see [`Address`].
    ///
    /// # Errors
    /// [`ManagerError::Refused`] if the other side does not know the key, or says that this one does not; [`ManagerError::Address`], [`ManagerError::TimedOut`],
    /// [`ManagerError::System`] if nobody listens there.
    pub fn connect(address: impl AsRef<str>, key: &[u8]) -> Result<Self, ManagerError> {
        let address: Address = address.as_ref().parse()?;
        let mut stream = Stream::connect(&address)?;
        let keys = auth::knock(&mut stream, key)?;
        Self::new(stream, keys)
    }

    /// Sends bytes. Waits while the other side does not take them, for up to ten seconds.
    ///
    /// # Errors
    /// [`ManagerError::Disconnected`], [`ManagerError::TimedOut`]; [`ManagerError::Protocol`] if they are more than 64 MiB. But in the last case the connection is closed then.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), ManagerError> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner).send(bytes)
    }

    /// Receives bytes, waiting for them for as long as it takes.
    ///
    /// # Errors
    /// [`ManagerError::Disconnected`]; [`ManagerError::Protocol`] if what came is not authentic or too long, [`ManagerError::TimedOut`] if a message has begun and does not go on
    /// for ten seconds: the connection is closed then.
    pub fn recv_bytes(&self) -> Result<Vec<u8>, ManagerError> {
        self.receive(Deadline::NEVER)
    }

    /// The same, but waits for the message to begin until `timeout` is over.
    ///
    /// # Errors
    /// As [`recv_bytes`](Self::recv_bytes); [`ManagerError::TimedOut`] if nothing has come.
    pub fn recv_bytes_timeout(&self, timeout: Duration) -> Result<Vec<u8>, ManagerError> {
        self.receive(Deadline::after(timeout))
    }

    fn receive(&self, first: Deadline) -> Result<Vec<u8>, ManagerError> {
        let mut payload = Vec::new();
        let mut receiving = self.receiving.lock().unwrap_or_else(PoisonError::into_inner);
        receiving.receive(&mut payload, first).map(|()| payload)
    }

    /// Sends a value.
    ///
    /// # Errors
    /// As [`send_bytes`](Self::send_bytes), and [`ManagerError::Encode`].
    pub fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), ManagerError> {
        let mut bytes = Vec::new();
        let (encoded, luggage) = crate::shm::collect(|| codec::encode_message(&value, &mut bytes));
        encoded.map_err(|error| ManagerError::Encode { reason: error.into() })?;
        if !luggage.carried().is_empty() {
            let reason = "a handle cannot be sent to another program".to_owned();
            return Err(ManagerError::Encode { reason });
        }
        self.send_bytes(&bytes)
    }

    /// Receives a value.
    ///
    /// # Errors
    /// As [`recv_bytes`](Self::recv_bytes), and [`ManagerError::Decode`].
    pub fn recv<T: DeserializeOwned>(&self) -> Result<T, ManagerError> {
        let bytes = self.recv_bytes()?;
        codec::decode_message(&bytes).map_err(|error| ManagerError::Decode { reason: error.into() })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.is_ours() {
            self.sending.get_mut().unwrap_or_else(PoisonError::into_inner).stream().close();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
