//! What an ended process had sent handles of, while the messages are still to be received: somebody keeps it open.

use super::{
    core::{HANDS_AT, HEAD, PRESENCE},
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
        let received = self.word(HEAD + Head::RECEIVED).unwrap_or(u64::MAX);
        received >= self.until && !self.has_jobs(received) || !self.has_receivers(world)
    }

    fn word(&self, at: usize) -> Option<u64> {
        let bytes = memory::read_at(&self.queue, at as u64, 8).ok()?;
        bytes.first_chunk().copied().map(u64::from_ne_bytes)
    }

    /// Whether a job of a work queue is not done, which may be delivered again.
    fn has_jobs(&self, received: u64) -> bool {
        let high = self.word(HEAD + Head::HANDS).map_or(0, |word| word & u64::from(u32::MAX));
        let len = usize::try_from(high).unwrap_or(0).min(raw::HANDS) * size_of::<raw::Hand>();
        let bytes = memory::read_at(&self.queue, HANDS_AT as u64, len);
        bytes.is_ok_and(|bytes| raw::bytes_have_jobs(&bytes, received))
    }

    fn has_receivers(&self, world: &World) -> bool {
        loop {
            let moves = self.word(HEAD + Head::MOVES);
            let found = self.finds_receivers(world);
            // As in `Core::who`.
            if found || self.word(HEAD + Head::MOVES) == moves {
                return found;
            }
        }
    }

    fn finds_receivers(&self, world: &World) -> bool {
        let pages = self.word(HEAD + Head::PAGES).unwrap_or(0);
        (0..64).filter(|page| pages >> page & 1 != 0).any(|page| {
            let bytes = memory::read_at(&self.queue, PRESENCE as u64 + page * 4096, 4096);
            bytes.is_ok_and(|bytes| raw::page_has_receivers(&bytes, |id| raw::is_here(world, id)))
        })
    }
}
