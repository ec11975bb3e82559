//! The built-in objects, as the server has them: each keeps values without knowing their types.

pub(super) mod counter;
pub(super) mod deque;
pub(super) mod dict;
pub(super) mod list;
pub(super) mod queue;
pub(super) mod set;
pub(super) mod value;

use super::{error::Fault, serve::Served, stored::Stored, wire::Arguments};
use core::any::Any;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Numbers of things, one each, that go over the wire.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($variant:ident)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub(in crate::manager) enum $name { $($variant),* }

        impl $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The one of that number.
            pub(in crate::manager) fn of(number: u32) -> Result<Self, $crate::manager::error::Fault> {
                let known = usize::try_from(number).ok().and_then(|at| Self::ALL.get(at));
                known.copied().ok_or_else($crate::manager::object::unknown)
            }
        }
    };
}
pub(super) use numbered;

numbered! {
    /// The kinds of built-in objects.
    Kind { List Dict Set Deque Value Counter Queue }
}

/// A new object of that kind. Only a queue is told more: how many messages there may be.
pub(super) fn make(kind: u32, arguments: &mut Arguments<'_>) -> Result<Arc<dyn Served>, Fault> {
    Ok(match Kind::of(kind)? {
        Kind::List => Arc::new(list::List::default()),
        Kind::Dict => Arc::new(dict::Dict::default()),
        Kind::Set => Arc::new(set::Set::default()),
        Kind::Deque => Arc::new(deque::Deque::default()),
        Kind::Value => Arc::new(value::Value::default()),
        Kind::Counter => Arc::new(counter::Counter::default()),
        Kind::Queue => {
            let capacity = if arguments.is_empty() { None } else { Some(arguments.index()?) };
            Arc::new(queue::Queue::with_capacity(capacity))
        }
    })
}

pub(super) fn unknown() -> Fault {
    Fault::Decode("there is no such method".to_owned())
}

/// The object that a function of the program works on, if it is of the type that the function is for.
pub(super) fn as_a<T: Any>(object: &dyn Any) -> Result<&T, Fault> {
    object.downcast_ref().ok_or_else(|| Fault::Decode("the object is of another kind".to_owned()))
}

/// What is behind a lock of the server. A panic of the user's code changes nothing there: what it has made is put in place afterwards.
#[derive(Debug, Default)]
pub(super) struct Behind<T>(RwLock<T>);

impl<T> Behind<T> {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index, if there is an element there.
pub(super) fn within(index: usize, len: usize) -> Result<usize, Fault> {
    let missing = || Fault::OutOfRange { index: index as u64, len: len as u64 };
    if index < len { Ok(index) } else { Err(missing()) }
}

/// A part of a sequence: from where, and how many at most.
pub(super) fn part<'a>(
    all: impl Iterator<Item = &'a Stored> + 'a,
    start: usize,
    most: usize,
) -> impl Iterator<Item = &'a Stored> + 'a {
    all.skip(start).take(most)
}
