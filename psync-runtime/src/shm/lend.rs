//! Lending: how references to shared data, strings and handles cross to another process.
#![allow(unsafe_code, reason = "turns places of shared memory into references")]

use super::{
    ShmError, ShmSafe, registry,
    shared::{Shape, Shared},
    transfer, world,
};
use core::{any::type_name, fmt, ptr::NonNull};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

/// What can be lent to another process as a `&Self`: shared data, strings, and the handles of psync.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be lent to another process",
    label = "cannot live in shared memory",
    note = "on a struct of your own write `#[shared]`, and keep it in a `Shared`",
    note = "anything that serde knows can go as a copy: take it by value"
)]
pub trait Lend {
    #[doc(hidden)]
    fn depart<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// The value at the other end. It stays for as long as that process runs.
    #[doc(hidden)]
    fn arrive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Self, D::Error>;
}

/// A handle that keeps a `T` alive, so that a process may have the `T` that is not waited for.
#[diagnostic::on_unimplemented(
    message = "this start does not wait for the process, so it cannot borrow from `{Self}`",
    label = "expected `Shared<{T}>`",
    note = "pass the handle, or start the process with `spawn_in` or in `parallel!`, which may borrow"
)]
pub trait Lends<T: ?Sized> {
    #[doc(hidden)]
    fn lend(&self) -> &T;
}

impl<T: Shape + ?Sized> Lends<T> for Shared<T> {
    fn lend(&self) -> &T {
        self.publish();
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized, O: Lends<T> + ?Sized> Lends<T> for &O {
    fn lend(&self) -> &T {
        (**self).lend()
    }
}

/// What can be lent as a `&mut Self`: shared data that nobody else can see meanwhile.
pub trait LendMut: Lend {
    #[doc(hidden)]
    fn arrive_mut<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static mut Self, D::Error>;
}

/// A `&'a T` on its way to another process.
pub struct Lent<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Lent<'a, T> {
    /// Lends for as long as the other process runs inside a scope.
    pub const fn new(value: &'a T) -> Self {
        Self(value)
    }

    /// Shares with a process that may outlive the call.
    pub fn of_owner(owner: &'a (impl Lends<T> + ?Sized)) -> Self {
        Self(owner.lend())
    }
}

impl<T: ?Sized> Lent<'static, T> {
    /// What has arrived.
    pub const fn get(&self) -> &'static T {
        self.0
    }
}

/// A `&'a mut T` on its way to another process.
///
/// Only generated code makes and sends them, once each and from inside a scope: two that arrived from the same bytes would be two
/// mutable references to one place (UNSAFE.md, P3).
pub struct LentMut<'a, T: ?Sized>(&'a mut T);

impl<'a, T: ?Sized> LentMut<'a, T> {
    /// Lends for as long as the other process runs inside a scope.
    pub const fn new(value: &'a mut T) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> LentMut<'static, T> {
    /// What has arrived.
    pub const fn get(self) -> &'static mut T {
        self.0
    }
}

impl<T: Lend + ?Sized> Serialize for Lent<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.depart(serializer)
    }
}

impl<'de, T: Lend + ?Sized> Deserialize<'de> for Lent<'static, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::arrive(deserializer).map(Self)
    }
}

impl<T: LendMut + ?Sized> Serialize for LentMut<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.depart(serializer)
    }
}

impl<'de, T: LendMut + ?Sized> Deserialize<'de> for LentMut<'static, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::arrive_mut(deserializer).map(Self)
    }
}

impl<T: ?Sized> fmt::Debug for Lent<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent<{}>", type_name::<T>())
    }
}

impl<T: ?Sized> fmt::Debug for LentMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LentMut<{}>", type_name::<T>())
    }
}

/// Shared data, single or in a slice: a place of a segment.
macro_rules! data {
    ($($data:ty),+) => {$(
        impl<T: ShmSafe> Lend for $data {
            fn depart<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Place::of(self).map_err(S::Error::custom)?.serialize(serializer)
            }

            fn arrive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Self, D::Error> {
                let value = Place::deserialize(deserializer)?.find::<Self>().map_err(D::Error::custom)?;
                // SAFETY: the place holds a valid value of this type (S3, S4) and stays mapped, since `find` pinned it (S2).
                // Nobody changes it but through cells while it is lent (P3).
                Ok(unsafe { value.as_ref() })
            }
        }

        impl<T: ShmSafe> LendMut for $data {
            fn arrive_mut<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<&'static mut Self, D::Error> {
                let place = Place::deserialize(deserializer)?;
                let mut value = place.find::<Self>().map_err(D::Error::custom)?;
                // SAFETY: as in `arrive`; and the lender, which had it mutably, does not touch it until this process is
                // gone (P3).
                Ok(unsafe { value.as_mut() })
            }
        }
    )+};
}

data!(T, [T]);

impl Lend for str {
    fn depart<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }

    fn arrive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Self, D::Error> {
        Ok(String::deserialize(deserializer)?.leak())
    }
}

/// Lets references to a handle be lent: the handle itself goes along.
macro_rules! lend_handle {
    ([$($generics:tt)*] $handle:ty) => {
        impl<$($generics)*> $crate::shm::Lend for $handle {
            fn depart<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }

            fn arrive<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<&'static Self, D::Error> {
                <Self as serde::Deserialize>::deserialize(deserializer)
                    .map(|handle| &*Box::leak(Box::new(handle)))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::shm::Lends<$handle> for $handle {
            fn lend(&self) -> &$handle {
                self
            }
        }
    };
}
pub(crate) use lend_handle;

lend_handle!([T: Shape + ?Sized] Shared<T>);

/// In the place of a segment's number, which it never is: the room for `#[shared]` statics, which every process has.
const STATICS: u64 = 0;

/// Where lent data lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    segment: u64,
    offset: u64,
    count: u64,
    fingerprint: u64,
}

impl Place {
    /// The place of a value, on its way into a message.
    fn of<T: Shape + ?Sized>(value: &T) -> Result<Self, ShmError> {
        let count = T::count(NonNull::from(value)) as u64;
        let mut place = Self { segment: 0, offset: 0, count, fingerprint: T::FINGERPRINT };
        let size = size_of_val(value);
        if size > 0 {
            let address = core::ptr::from_ref(value).cast::<u8>().addr();
            if let Some(offset) = world::offset_in_statics(address, size) {
                (place.segment, place.offset) = (STATICS, offset);
                return Ok(place);
            }
            let (segment, offset) = registry::locate(address, size)
                .ok_or(ShmError::NotShared { type_name: type_name::<T>() })?;
            transfer::record(&segment);
            (place.segment, place.offset) = (segment.id(), offset as u64);
        }
        Ok(place)
    }

    /// The value there, whose segment stays mapped from now on.
    fn find<T: Shape + ?Sized>(self) -> Result<NonNull<T>, ShmError> {
        let wrong = || ShmError::Layout { type_name: type_name::<T>() };
        if self.fingerprint != T::FINGERPRINT {
            return Err(wrong());
        }
        let count = usize::try_from(self.count).map_err(|_| wrong())?;
        let layout = T::layout(count).ok_or_else(wrong)?;
        if layout.size() == 0 {
            return Ok(T::at(layout.dangling_ptr(), count));
        }
        if self.segment == STATICS {
            let world = world::existing();
            let first = world.and_then(|world| world.view_statics(self.offset, layout));
            return first.map(|first| T::at(first, count)).ok_or_else(wrong);
        }
        let segment =
            registry::find(self.segment).ok_or(ShmError::NotFound { segment: self.segment })?;
        let offset = usize::try_from(self.offset).map_err(|_| wrong())?;
        let first = segment.view(offset, layout).ok_or_else(wrong)?;
        segment.pin();
        Ok(T::at(first, count))
    }
}

#[cfg(test)]
mod tests;
