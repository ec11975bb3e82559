//! Where atomics and cells come from: the one place to exchange them for a model checker's (`tests/tidy.rs` sees to it).
pub(crate) use core::cell::UnsafeCell;
pub(crate) use core::hint::spin_loop;
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

/// A word that knows what has been fast: whatever it says, what is done is right, so a model checker need not look at it.
pub(crate) type Hint = AtomicU32;

/// Keeps a `SeqCst` exchange in front of the loads that follow it, where the processor does not do so by itself.
#[inline(always)]
#[allow(clippy::inline_always, reason = "one instruction, or none")]
pub(crate) fn exchange_fence() {
    if cfg!(not(target_arch = "x86_64")) {
        fence(Ordering::SeqCst);
    }
}
