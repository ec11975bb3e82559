//! What an ended process had sent handles of, while the messages are still to be received: somebody keeps it open.

use super::{
    core::{HEAD, PRESENCE},
    raw::{self, Head},
};
use crate::{
    shm::world::{World, existing},
    sys::memory,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Kept without mapping anything: whoever keeps it forks, and its children must not take the memory for theirs.
#[derive(Debug)]
pub(crate) struct Legacy {
    queue: OwnedFd,
    /// How many messages will have been received once none of them needs it.
    until: u64,
    files: Vec<OwnedFd>,
}

impl Legacy {
    /// From what [`outbox::remains`](super::outbox::remains) told of: the queue's file comes first.
    pub(crate) fn new(until: u64, mut files: Vec<OwnedFd>) -> Option<Self> {
        if files.is_empty() {
            return None;
        }
        let queue = files.remove(0);
        Some(Self { queue, until, files })
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.queue].into_iter().chain(&self.files).map(AsFd::as_fd)
    }

    /// Whether nobody will ask for it any more.
    pub(crate) fn is_over(&self) -> bool {
        let Some(world) = existing() else { return true };
        self.word(HEAD + Head::RECEIVED).is_none_or(|received| received >= self.until)
            || !self.has_receivers(world)
    }

    fn word(&self, at: usize) -> Option<u64> {
        let bytes = memory::read_at(&self.queue, at as u64, 8).ok()?;
        bytes.first_chunk().copied().map(u64::from_ne_bytes)
    }

    fn has_receivers(&self, world: &World) -> bool {
        let pages = self.word(HEAD + Head::PAGES).unwrap_or(0);
        (0..64).filter(|page| pages >> page & 1 != 0).any(|page| {
            let bytes = memory::read_at(&self.queue, PRESENCE as u64 + page * 4096, 4096);
            bytes.is_ok_and(|bytes| raw::page_has_receivers(&bytes, |id| raw::is_here(world, id)))
        })
    }
}
