//! `Listener`: where other programs connect.

use super::{
    Address,
    client::Client,
    greeter::{Greeter, Hall},
    stream::Door,
};
use crate::manager::ManagerError;
use core::fmt;
use std::sync::Arc;

/// Takes in connections of other programs that know the key.
///
/// Handshakes are made as clients come, also before they are accepted. A client that is slow with it holds nobody up, has five seconds, and less if many others come. It closes when this
/// is dropped, and the file of a Unix socket goes with it.
///
/// See [`Client`] for an example.
pub struct Listener {
    address: Address,
    hall: Arc<Hall>,
    _greeter: Greeter,
}

impl Listener {
    /// Listens at `address`, see [`Address`]. The key may be of any length; one that is hard to guess has 32 random bytes.
    ///
    /// # Errors
    /// [`ManagerError::Address`]; [`ManagerError::System`] if somebody else listens there.
    pub fn bind(address: impl AsRef<str>, key: &[u8]) -> Result<Self, ManagerError> {
        let (door, address) = Door::open(&address.as_ref().parse()?)?;
        let (greeter, hall) = Greeter::start(door, key.to_vec())?;
        Ok(Self { address, hall, _greeter: greeter })
    }

    /// Where it can be reached: with the port that the system has chosen.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The next client, waiting for one.
    ///
    /// # Errors
    /// [`ManagerError::Refused`] if one has come that does not know the key, [`ManagerError::TimedOut`], [`ManagerError::Disconnected`] or [`ManagerError::Protocol`] if one
    /// has not finished its handshake. There may be others after it.
    pub fn accept(&self) -> Result<Client, ManagerError> {
        self.hall.next()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}
