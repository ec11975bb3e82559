//! A handle of an object: counted by the server, so that the object lives as long as anybody has one.

use super::{
    error::ManagerError,
    item::Item,
    server::{Server, charge},
    stored::Keep,
    wire::{Header, Operation, offset, put_number, take_number},
};
use crate::{
    shm::{
        transfer,
        world::{Identity, me},
    },
    sys::fault,
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::sync::Arc;

/// See the module. Clones in one process count as one.
#[derive(Clone, Debug)]
pub struct Held(Arc<Count>);

#[derive(Debug)]
struct Count {
    server: Arc<Server>,
    object: u64,
    /// The process on whose account it is; a forked copy of that is not counted. Nobody, if the object was gone when the handle arrived.
    holder: Identity,
}

impl Held {
    fn new(server: Arc<Server>, object: u64, holder: Identity) -> Self {
        Self(Arc::new(Count { server, object, holder }))
    }

    /// Has the server make a built-in object.
    pub(super) fn make(server: &Arc<Server>, kind: u32) -> Result<Self, ManagerError> {
        Self::make_with(server, kind, |_| Ok(()))
    }

    /// The same, for a kind that needs to be told more.
    pub(super) fn make_with(
        server: &Arc<Server>,
        kind: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
    ) -> Result<Self, ManagerError> {
        let header = Header::new(Operation::Make, kind, 0);
        let object = server.ask(header, None, write, take_number)?;
        Ok(Self::new(Arc::clone(server), object, me().id))
    }

    /// Has the object be found under a name.
    pub(super) fn publish(&self, name: &str, kind: u64) -> Result<(), ManagerError> {
        let header = Header::new(Operation::Publish, 0, self.0.object);
        self.0.server.ask(header, None, named(name, kind), |_| Ok(()))
    }

    /// The object of a name.
    pub(super) fn find(
        server: &Arc<Server>,
        name: &str,
        kind: u64,
    ) -> Result<Option<Self>, ManagerError> {
        let read = |bytes: &[u8]| {
            if bytes.is_empty() { Ok(None) } else { take_number(bytes).map(Some) }
        };
        let header = Header::new(Operation::Find, 0, 0);
        let object = server.ask(header, None, named(name, kind), read)?;
        Ok(object.map(|object| Self::new(Arc::clone(server), object, me().id)))
    }

    /// Has a function of the program make an object.
    pub(super) fn make_by(
        server: &Arc<Server>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
    ) -> Result<Self, ManagerError> {
        let header = Header::new(Operation::MakeBy, 0, 0);
        let object = server.ask(header, None, write, take_number)?;
        Ok(Self::new(Arc::clone(server), object, me().id))
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0.server
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.object == other.0.object && self.0.server.id() == other.0.server.id()
    }

    pub(super) fn show<P>(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = core::any::type_name::<P>().replace("psync_runtime::manager::proxy::", "");
        write!(f, "{name}({} of process {})", self.0.object, self.0.server.pid())
    }

    /// Calls a method of a built-in object. Values with handles among the arguments are kept as `T`.
    #[inline]
    pub(super) fn call<T: Item, R>(
        &self,
        method: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let header = Header::new(Operation::Call, method, self.0.object);
        self.0.server.ask(header, Some(Keep::of::<T>), write, read)
    }

    /// Has a function of the program work on the object. Values with handles among the arguments are kept as `T`.
    pub(super) fn enter<T: Item, R>(
        &self,
        entry: *const (),
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError>,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let entry = offset(entry)?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, entry);
            write(bytes)
        };
        let header = Header::new(Operation::Enter, 0, self.0.object);
        self.0.server.ask(header, Some(Keep::of::<T>), write, read)
    }
}

/// A name, and what is to be found there.
fn named(name: &str, kind: u64) -> impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError> {
    move |bytes| {
        put_number(bytes, kind);
        bytes.extend_from_slice(name.as_bytes());
        Ok(())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if self.holder == me().id && self.server.seems_alive() {
            self.server.tell(Operation::Release, self.object, 0);
        }
    }
}

/// A handle in a message: the object, on whose account it is, and what it is a handle of.
type Parts = (u64, u64, u64);

impl Held {
    /// The handle, as it is written down for another process.
    pub(super) const fn going(&self, fingerprint: u64) -> Going<'_> {
        Going { held: self, fingerprint }
    }

    /// A handle that came from another process.
    pub(super) fn arrive<'de, D: Deserializer<'de>>(
        fingerprint: u64,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let Come { held, made_for } = Come::deserialize(deserializer)?;
        if made_for == fingerprint { Ok(held) } else { Err(foreign()) }
    }
}

pub(super) fn foreign<E: serde::de::Error>() -> E {
    E::custom("it is a proxy of another type")
}

/// See [`Held::going`].
#[derive(Debug)]
pub(super) struct Going<'a> {
    held: &'a Held,
    fingerprint: u64,
}

/// A handle as it arrives, and what it is a handle of.
#[derive(Debug)]
pub(super) struct Come {
    pub(super) held: Held,
    pub(super) made_for: u64,
}

impl Serialize for Going<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Count { server, object, .. } = &*self.held.0;
        let charge = charge();
        fault::point("manager: handle departed");
        // After the server's end there is nothing to count: the handle says so wherever it comes to.
        let departed = server.ask_number(Operation::Depart, *object, charge.bits());
        if departed.is_ok() && charge.process != Identity::NOBODY {
            let (server, object) = (Arc::clone(server), *object);
            transfer::or_else(move || server.tell(Operation::Land, object, charge.bits()));
        }
        let parts: Parts = (*object, charge.bits(), self.fingerprint);
        (parts, Reference(server)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Come {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ((object, charge, made_for), Known(server)) =
            <(Parts, Known)>::deserialize(deserializer)?;
        fault::point("manager: handle received");
        let holder = match server.ask_number(Operation::Arrive, object, charge) {
            Ok(()) => {
                fault::point("manager: handle arrived");
                me().id
            }
            // Every call will say so.
            Err(ManagerError::Lost { .. } | ManagerError::Gone) => Identity::NOBODY,
            Err(error) => return Err(D::Error::custom(error)),
        };
        Ok(Self { held: Held::new(server, object, holder), made_for })
    }
}

/// A server, as it is written down.
struct Reference<'a>(&'a Arc<Server>);

impl Serialize for Reference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A server, as it arrives.
struct Known(Arc<Server>);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Server::deserialize(deserializer).map(Self)
    }
}
