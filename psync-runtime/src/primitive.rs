//! Where atomics and cells come from: the one place to exchange them for a model checker's.
#![allow(clippy::disallowed_types, reason = "this is the module that the lint points to")]

pub(crate) use core::cell::UnsafeCell;
pub(crate) use core::hint::spin_loop;
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
