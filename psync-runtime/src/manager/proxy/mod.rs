//! Proxies of the built-in objects: what users see.
#![allow(
    clippy::needless_pass_by_value,
    reason = "what goes into an object is given away, as with `Vec::push`"
)]

pub(super) mod barrier;
pub(super) mod condition;
pub(super) mod counter;
pub(super) mod deque;
pub(super) mod dict;
pub(super) mod event;
pub(super) mod list;
pub(super) mod lock;
pub(super) mod namespace;
mod outside;
pub(super) mod queue;
mod queue_calls;
pub(super) mod semaphore;
pub(super) mod set;
pub(super) mod shared;
pub(super) mod value;

/// A handle of a built-in object, with what all handles can do.
macro_rules! proxy {
    ($(#[$doc:meta])* $name:ident $(<$($type:ident),+>)?) => {
        $(#[$doc])*
        pub struct $name $(<$($type),+>)? {
            held: $crate::manager::held::Held,
            $(holds: core::marker::PhantomData<fn($($type),+) -> ($($type,)+)>,)?
        }

        impl $(<$($type),+>)? $name $(<$($type),+>)? {
            pub(in crate::manager) fn holding(held: $crate::manager::held::Held) -> Self {
                Self { held $(, holds: core::marker::PhantomData::<fn($($type),+) -> ($($type,)+)>)? }
            }

            /// Whether both are handles of the same object.
            pub fn ptr_eq(a: &Self, b: &Self) -> bool {
                a.held.is(&b.held)
            }
        }

        impl $(<$($type: 'static),+>)? $crate::manager::Proxy for $name $(<$($type),+>)? {
            fn held(&self) -> &$crate::manager::held::Held {
                &self.held
            }

            fn holding(held: $crate::manager::held::Held) -> Self {
                Self::holding(held)
            }
        }

        impl $(<$($type),+>)? Clone for $name $(<$($type),+>)? {
            fn clone(&self) -> Self {
                Self::holding(self.held.clone())
            }
        }

        impl $(<$($type),+>)? core::fmt::Debug for $name $(<$($type),+>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.held.show::<Self>(f)
            }
        }

        impl $(<$($type),+>)? serde::Serialize for $name $(<$($type),+>)? {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                self.held.going($crate::channel::fingerprint::<Self>()).serialize(serializer)
            }
        }

        impl<'de $($(, $type)+)?> serde::Deserialize<'de> for $name $(<$($type),+>)? {
            fn deserialize<Z: serde::Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                let fingerprint = $crate::channel::fingerprint::<Self>();
                $crate::manager::held::Held::arrive(fingerprint, deserializer).map(Self::holding)
            }
        }
    };
}
pub(super) use proxy;

use super::{ManagerError, wire::put_number};

/// Writes a number and nothing else.
fn number(number: usize) -> impl FnOnce(&mut Vec<u8>) -> Result<(), ManagerError> {
    move |bytes| {
        put_number(bytes, number as u64);
        Ok(())
    }
}

/// Writes nothing.
#[allow(clippy::unnecessary_wraps, reason = "it is one of the writers of arguments")]
fn nothing(_: &mut Vec<u8>) -> Result<(), ManagerError> {
    Ok(())
}

/// A result that is a number of things.
fn take_len(bytes: &[u8]) -> Result<usize, ManagerError> {
    super::wire::take_number(bytes).map(|len| usize::try_from(len).unwrap_or(usize::MAX))
}
