//! Counts what is allocated, so that a target can say how much is too much.
#![allow(unsafe_code, reason = "an allocator")]
#![allow(clippy::disallowed_types, reason = "no model checker runs this")]

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::alloc::System;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn more(size: usize) {
    PEAK.fetch_max(NOW.fetch_add(size, Relaxed) + size, Relaxed);
}

// SAFETY: as the system's allocator, which does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        more(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Calls `body`, which must not have more than `most` bytes at any moment besides those that were there before.
pub(crate) fn at_most<R>(most: usize, body: impl FnOnce() -> R) -> R {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = body();
    let more = PEAK.load(Relaxed).saturating_sub(before);
    assert!(more <= most, "{more} bytes of memory were taken, more than {most}");
    result
}

#[cfg(test)]
mod tests {
    #[test]
    fn more_than_allowed_is_noticed() {
        super::at_most(20_000, || drop(vec![0_u8; 10_000]));
        let caught = std::panic::catch_unwind(|| super::at_most(5_000, || vec![0_u8; 10_000]));
        assert!(caught.is_err());
    }
}
