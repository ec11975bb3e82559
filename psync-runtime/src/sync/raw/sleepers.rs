//! Threads that have given a lock up for a while and yet have others of its guards.

use super::{death, me, roster::Roster};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::Identity,
    sys::fault,
};

/// How many such threads each process has. A number is written before the lock is given up, and taken back after it was acquired again; that of a process that has
/// died counts for nothing.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Sleepers {
    roster: Roster,
    /// Whether there was no room for somebody, ever: then nobody knows.
    crowded: AtomicU32,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct Sleeping<'a> {
    word: &'a AtomicU64,
    holder: Identity,
}

impl Sleepers {
    pub(crate) const fn new() -> Self {
        Self { roster: Roster::new(), crowded: AtomicU32::new(0) }
    }

    /// This thread is one. Only with the lock.
    pub(crate) fn join(&self) -> Option<Sleeping<'_>> {
        let me = me();
        if let Ok(entry) = self.roster.change(me, |sleepers| sleepers + 1) {
            fault::point("sleepers: joined");
            return Some(Sleeping { word: entry.word(), holder: me.id });
        }
        self.crowded.store(1, Ordering::Relaxed);
        None
    }

    /// Whether there are any, as far as is known. Only with the lock.
    pub(crate) fn are_there(&self) -> bool {
        let sleeps = |(holder, sleepers)| sleepers != 0 && !death::is_gone(holder);
        self.crowded.load(Ordering::Relaxed) != 0
            || self.roster.places().any(|place| sleeps(place.read()))
    }
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        Roster::take_one(self.word, self.holder);
    }
}
