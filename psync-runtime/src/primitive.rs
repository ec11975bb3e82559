//! Where atomics and cells come from: the one place to exchange them for a model checker's (`tests/tidy.rs` sees to it).
pub(crate) use core::cell::UnsafeCell;
pub(crate) use core::hint::spin_loop;
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
