//! Primitives may live in shared memory: that is what they are for.
#![allow(unsafe_code, reason = "promises about layout and content")]

use super::{Barrier, Condvar, Event, Lock, Mutex, Once, ReentrantMutex, RwLock, Semaphore, Value};
use crate::shm::{ShmSafe, Zeroable, fingerprint};

/// A primitive without data: atomics only, laid out by `repr(C)`.
macro_rules! plain {
    ($($primitive:ident),+) => {$(
        // SAFETY: made of atomics and a list node that only its owner follows (L2), without drop glue.
        unsafe impl ShmSafe for $primitive {
            const FINGERPRINT: u64 = fingerprint(stringify!($primitive), &[], size_of::<Self>(), align_of::<Self>());
        }
    )+};
}
plain!(Lock, Semaphore, Event, Barrier, Condvar);

// SAFETY: all-zero words are a lock that is free.
unsafe impl Zeroable for Lock {}
// SAFETY: all-zero words are an event that is clear.
unsafe impl Zeroable for Event {}
// SAFETY: all-zero words are a list of nobody.
unsafe impl Zeroable for Condvar {}

/// A primitive around data.
macro_rules! around {
    ($($primitive:ident: $($bound:path),+);+) => {$(
        // SAFETY: made of atomics, a list node that only its owner follows (L2), and data that is itself fit. That of a `Once` is an `Option` of such data, which
        // nobody looks at before it is whole (L7).
        unsafe impl<T: $($bound +)+> ShmSafe for $primitive<T> {
            const FINGERPRINT: u64 = fingerprint(
                stringify!($primitive),
                &[("value", T::FINGERPRINT, size_of::<T>())],
                size_of::<Self>(),
                align_of::<Self>(),
            );
        }
    )+};
}
around!(Mutex: ShmSafe; ReentrantMutex: ShmSafe; RwLock: ShmSafe; Once: ShmSafe; Value: ShmSafe, Copy);

// SAFETY: all-zero words are a lock that is free, around zeroed data.
unsafe impl<T: Zeroable> Zeroable for Mutex<T> {}
// SAFETY: all-zero words are a lock that is free, around zeroed data.
unsafe impl<T: Zeroable> Zeroable for ReentrantMutex<T> {}
// SAFETY: all-zero words are a lock that nobody has, around zeroed data.
unsafe impl<T: Zeroable> Zeroable for RwLock<T> {}
// SAFETY: all-zero words are a value that nobody holds, with zeroed data.
unsafe impl<T: Zeroable + Copy> Zeroable for Value<T> {}
