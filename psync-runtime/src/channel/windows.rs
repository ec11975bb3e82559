//! The file of a queue as one side of one process sees it: a few windows of the log, mapped as they are needed.
#![allow(unsafe_code, reason = "turns mappings into addresses")]

use super::raw::Memory;
use crate::{
    shm::Segment,
    sys::{OsError, memory},
};
use core::ptr::NonNull;
use memmap2::MmapRaw;
use std::sync::Arc;

const WINDOW: u64 = 4 << 20;
/// How many windows stay mapped. A queue that keeps up needs one; one that is very long goes through them in turn.
const KEEP: usize = 4;

/// See the module. Its methods are for whoever is inside the side that it belongs to.
#[derive(Debug)]
pub(super) struct Windows {
    segment: Arc<Segment>,
    /// Number and first address of the window that was used last.
    last: (u64, *mut u8),
    maps: Vec<(u64, MmapRaw)>,
    next: usize,
}

// SAFETY: the addresses are of shared mappings that it owns.
unsafe impl Send for Windows {}

impl Windows {
    pub(super) const fn new(segment: Arc<Segment>) -> Self {
        Self { segment, last: (0, core::ptr::null_mut()), maps: Vec::new(), next: 0 }
    }

    #[cold]
    fn turn_to(&mut self, window: u64) -> Result<(), OsError> {
        if let Some((_, map)) = self.maps.iter().find(|(number, _)| *number == window) {
            self.last = (window, map.as_mut_ptr());
            return Ok(());
        }
        let length = usize::try_from(WINDOW).unwrap_or(usize::MAX);
        let map = memory::map(&self.segment, window * WINDOW, length)?;
        self.last = (window, map.as_mut_ptr());
        if self.maps.len() < KEEP {
            self.maps.push((window, map));
        } else {
            self.maps[self.next] = (window, map);
            self.next = (self.next + 1) % KEEP;
        }
        Ok(())
    }
}

impl Memory for Windows {
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "less than a window")]
    fn at(&mut self, place: u64) -> Result<NonNull<u8>, OsError> {
        let window = place / WINDOW;
        if self.last.0 != window || self.last.1.is_null() {
            self.turn_to(window)?;
        }
        // SAFETY: the window is mapped for its whole length, and stays so until another call.
        let address = unsafe { self.last.1.add((place % WINDOW) as usize) };
        NonNull::new(address).ok_or(OsError::new("mmap", nix::errno::Errno::EFAULT))
    }

    fn reserve(&self, place: u64, len: u64) -> Result<(), OsError> {
        memory::reserve(&self.segment, place, len)
    }

    fn punch(&self, place: u64, len: u64) {
        // If the system does not take it, it stays ours.
        let _ = memory::punch(&self.segment, place, len);
    }

    fn write(&self, mut place: u64, parts: &[&[u8]]) -> Result<(), OsError> {
        for part in parts {
            memory::write_at(&self.segment, place, part)?;
            place += part.len() as u64;
        }
        Ok(())
    }
}
