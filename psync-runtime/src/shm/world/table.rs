//! The process table: taking slots, marking deaths, and questions about families.
#![allow(unsafe_code, reason = "waits on the low half of a 64-bit word")]

use super::{Identity, Phase, SLOTS, Slot, Status, World};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    sys::futex,
};

/// The half of a 64-bit word that holds its low bits.
pub(super) fn low_half(word: &AtomicU64) -> &AtomicU32 {
    let half = usize::from(cfg!(target_endian = "big"));
    let halves = core::ptr::from_ref(word).cast::<[AtomicU32; 2]>();
    // SAFETY: both halves lie inside `word`, are aligned, and mixed-size access is used for nothing but comparing the
    // futex word in the kernel.
    let halves = unsafe { &*halves };
    &halves[half]
}

impl World {
    pub(crate) fn slot(&self, id: Identity) -> &Slot {
        &self.slots[id.slot()]
    }

    /// All slots that have ever been used, with the identity of their present generation.
    pub(crate) fn used(&self) -> impl Iterator<Item = (Identity, &Slot)> {
        let high = (self.high.load(Ordering::Relaxed) as usize).min(SLOTS);
        self.slots[..high]
            .iter()
            .enumerate()
            .map(|(index, slot)| (Identity::new(index, slot.state().generation()), slot))
    }

    /// A slot for a process that `parent` (with `pid`) is about to start; `None` if all are in use.
    pub(crate) fn take_slot(&self, parent: Identity, pid: i32) -> Option<Identity> {
        let id = self.take_free(pid).or_else(|| {
            self.sweep();
            self.take_free(pid)
        })?;
        self.slot(id).set_parent(parent, pid);
        Some(id)
    }

    #[allow(clippy::cast_possible_truncation, reason = "slots are fewer than 2^12")]
    fn take_free(&self, pid: i32) -> Option<Identity> {
        let start = self.hint.load(Ordering::Relaxed) as usize;
        for step in 0..SLOTS {
            let index = (start + step) % SLOTS;
            if let Some(generation) = self.slots[index].take(pid) {
                self.high.fetch_max(index as u32 + 1, Ordering::Relaxed);
                // A freed slot is warm: look there first the next time.
                self.hint.store(index as u32, Ordering::Relaxed);
                return Some(Identity::new(index, generation));
            }
        }
        None
    }

    /// Frees what dead starters left behind.
    pub(crate) fn sweep(&self) {
        for (id, slot) in self.used() {
            let state = slot.state();
            let abandoned = match state.phase() {
                Phase::Dead | Phase::Refused => !self.is_alive(slot.parent().0),
                // Who has just taken it may not have written down yet who it is, but its pid came with the slot.
                Phase::Starting => {
                    !self.used().any(|(id, other)| other.is_alive(id) && other.pid() == state.pid())
                }
                Phase::Free | Phase::Running => false,
            };
            if abandoned {
                slot.free(id);
            }
        }
    }

    /// Records that a process has ended, frees what it leaves in the table, and wakes everyone who may depend on it.
    pub(crate) fn mark_dead(&self, id: Identity, status: Status) {
        let slot = self.slot(id);
        let wanted = self.is_alive(slot.parent().0);
        let pid = slot.pid();
        if !slot.die(id, status, wanted) {
            return;
        }
        for (child, slot) in self.used().filter(|(_, slot)| slot.parent().0 == id) {
            let left = match slot.state().phase() {
                Phase::Dead | Phase::Refused => true,
                // Revokes it: no child can claim it any more. Otherwise the slot has just been taken by somebody else.
                Phase::Starting => slot.pid() == pid,
                Phase::Free | Phase::Running => false,
            };
            if left {
                slot.free(child);
            }
        }
        self.free_records(id, pid);
        futex::wake_all(slot.word());
        self.announce_death();
    }

    /// The live processes that `parent` has started.
    pub(crate) fn children_of(&self, parent: Identity) -> impl Iterator<Item = (Identity, &Slot)> {
        self.used().filter(move |(id, slot)| {
            slot.parent().0 == parent && parent != Identity::NOBODY && slot.is_alive(*id)
        })
    }

    /// The processes that still run although their starter is `dead`, or dead already: their lifelines are about to end them. And what
    /// `dead` was just starting.
    ///
    /// As long as there is one, memory that was lent down from a dead process may still be written to.
    pub(crate) fn orphans(&self, dead: Identity) -> impl Iterator<Item = (Identity, &Slot)> {
        self.used().filter(move |(id, slot)| {
            let parent = slot.parent().0;
            match slot.state().phase() {
                Phase::Running => {
                    slot.is_alive(*id)
                        && parent != Identity::NOBODY
                        && (parent == dead || !self.is_alive(parent))
                }
                Phase::Starting => parent == dead,
                _ => false,
            }
        })
    }

    /// Whether an orphan is left, by asking the kernel: a dead process that nobody reaps is as dead. What no living
    /// process starts is revoked.
    pub(crate) fn verify_orphans(&self, dead: Identity) -> bool {
        for (id, slot) in self.used() {
            let parent = slot.parent().0;
            let is_starting = slot.state().phase() == Phase::Starting;
            if is_starting && slot.is_taken_by_parent() && !self.verify(parent) {
                slot.free(id);
            }
        }
        let is_left = |(id, slot): (Identity, &Slot)| {
            slot.state().phase() == Phase::Starting || self.verify(id)
        };
        // Each is asked, so that the table learns of all of them.
        self.orphans(dead).filter(|orphan| is_left(*orphan)).count() > 0
    }
}
