//! The spill table, which is empty: the few processes of a model fit into the machines.

use super::{Identity, Me, World};
use crate::primitive::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// See the runtime's.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) pid: AtomicI32,
    pub(crate) present: AtomicU32,
}

impl Note {
    pub(crate) const fn new() -> Self {
        Self { pid: AtomicI32::new(0), present: AtomicU32::new(0) }
    }

    pub(crate) fn begin(&self, pid: i32) {
        self.pid.store(pid, Ordering::Relaxed);
        self.present.store(0, Ordering::Relaxed);
    }
}

/// There is none.
#[derive(Debug)]
pub(crate) enum SpillEntry {}

impl SpillEntry {
    pub(crate) fn word(&self) -> &AtomicU64 {
        match *self {}
    }

    pub(crate) fn note(&self) -> &Note {
        match *self {}
    }

    pub(crate) fn free(&self, _primitive: u32, _holder: Identity) {
        match *self {}
    }
}

#[allow(clippy::unused_self, reason = "as in the runtime")]
impl World {
    pub(crate) fn next_key(&self) -> u32 {
        1
    }

    pub(crate) fn spilled(&self, _primitive: u32) -> impl Iterator<Item = &SpillEntry> {
        core::iter::empty()
    }

    pub(crate) fn claim_spill(&self, _primitive: u32, _holder: Me) -> Option<&SpillEntry> {
        None
    }
}
