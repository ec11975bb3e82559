//! What proxies of primitives have in common: the server keeps the memory, and whoever has a handle works in it.

use crate::{
    manager::{
        Item, Manager, ManagerError,
        held::{Come, Going, Held, foreign},
        object::{Kind, value::Method},
        wire::{put_last, take_nothing},
    },
    shm::world::guarded_by,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// A handle of something that lies in shared memory, and of the object that keeps it there.
#[derive(Clone, Debug)]
pub(super) struct Outside<T> {
    held: Held,
    thing: T,
}

impl<T: Item> Outside<T> {
    /// Gives `thing` to the server to keep.
    pub(super) fn new(manager: &Manager, thing: T) -> Result<Self, ManagerError> {
        let held = Held::make(manager.server(), Kind::Value as u32)?;
        let write = |bytes: &mut Vec<u8>| put_last(bytes, &thing);
        held.call::<T, _>(Method::Set as u32, write, take_nothing)?;
        Ok(Self { held, thing })
    }
}

impl<T> Outside<T> {
    /// A thing, and the object that is there already to keep it.
    pub(super) const fn kept(held: Held, thing: T) -> Self {
        Self { held, thing }
    }

    /// Works with it, as long as the server lives: waits end with that.
    #[inline]
    pub(super) fn with<'a, R, E>(
        &'a self,
        work: impl FnOnce(&'a T) -> Result<R, E>,
    ) -> Result<R, ManagerError>
    where
        ManagerError: From<E>,
    {
        let server = self.held.server();
        if !server.seems_alive() {
            return Err(server.lost());
        }
        guarded_by(server.id(), || work(&self.thing)).map_err(|error| {
            // It may have failed because of that.
            if server.seems_alive() { error.into() } else { server.lost() }
        })
    }

    /// The same for work that cannot fail.
    pub(super) fn look<R>(&self, work: impl FnOnce(&T) -> R) -> Result<R, ManagerError> {
        self.with(|thing| Ok::<R, ManagerError>(work(thing)))
    }

    pub(super) const fn thing(&self) -> &T {
        &self.thing
    }

    pub(super) const fn held(&self) -> &Held {
        &self.held
    }

    /// Both, as they are written down for another process.
    pub(super) const fn going(&self, fingerprint: u64) -> (Going<'_>, &T) {
        (self.held.going(fingerprint), &self.thing)
    }
}

impl<T: DeserializeOwned> Outside<T> {
    /// What came from another process.
    pub(super) fn arrive<'de, D: Deserializer<'de>>(
        fingerprint: u64,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let (Come { held, made_for }, thing) = <(Come, T)>::deserialize(deserializer)?;
        if made_for == fingerprint { Ok(Self { held, thing }) } else { Err(foreign()) }
    }
}

/// A handle of something that lies in shared memory, with what all such handles can do.
macro_rules! outside {
    ($(#[$doc:meta])* $name:ident $(<$type:ident $(: $bound:path)?>)? holds $thing:ty) => {
        $(#[$doc])*
        pub struct $name $(<$type $(: $bound)?>)? {
            outside: $crate::manager::proxy::outside::Outside<$thing>,
        }

        impl $(<$type $(: $bound)?>)? $name $(<$type>)? {
            /// Whether both are handles of the same object.
            pub fn ptr_eq(a: &Self, b: &Self) -> bool {
                a.outside.held().is(b.outside.held())
            }
        }

        impl $(<$type $(: $bound)?>)? Clone for $name $(<$type>)? {
            fn clone(&self) -> Self {
                Self { outside: self.outside.clone() }
            }
        }

        impl $(<$type $(: $bound)?>)? core::fmt::Debug for $name $(<$type>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.outside.held().show::<Self>(f)
            }
        }

        impl $(<$type $(: $bound)?>)? serde::Serialize for $name $(<$type>)? {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                self.outside.going($crate::channel::fingerprint::<Self>()).serialize(serializer)
            }
        }

        impl<'de $(, $type $(: $bound)?)?> serde::Deserialize<'de> for $name $(<$type>)? {
            fn deserialize<Z: serde::Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                let fingerprint = $crate::channel::fingerprint::<Self>();
                $crate::manager::proxy::outside::Outside::arrive(fingerprint, deserializer)
                    .map(|outside| Self { outside })
            }
        }
    };
}
pub(super) use outside;
