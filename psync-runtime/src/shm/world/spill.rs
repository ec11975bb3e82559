//! Where primitives keep what does not fit into themselves: who holds how much of them, when more than a few processes do.

use super::{Identity, Me, World};
use crate::primitive::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// How many entries there are for all primitives of a program together.
pub(super) const ENTRIES: usize = 4096;

/// What one process holds of one primitive.
///
/// | tag | word | meaning | left by |
/// |---|---|---|---|
/// | 0 | 0 | free | who has something of a primitive that has no room for it (sets the tag) |
/// | primitive (high half), process (low half) | 0 | about to be used, or about to be freed | the process (sets the word), or anyone if it is dead (tag 0) |
/// | the same | process (high half), value (low half) | the process has `value` of the primitive | the process, under the primitive's own rules; with value 0 anyone (word 0) |
///
/// Neither primitives nor processes are ever numbered alike, so a freed tag does not come back while somebody still compares with it; and
/// the word names the process too, so nobody changes a number that is not its own any more.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpillEntry {
    tag: AtomicU64,
    word: AtomicU64,
    note: Note,
}

/// What is known of the holder of an entry besides its number.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) pid: AtomicI32,
    /// How many of its threads are inside the primitive. Raised under the primitive's lock, lowered without it; the entry stays
    /// the holder's until it is 0.
    pub(crate) present: AtomicU32,
}

impl Note {
    pub(crate) const fn new() -> Self {
        Self { pid: AtomicI32::new(0), present: AtomicU32::new(0) }
    }

    /// For a new holder.
    pub(crate) fn begin(&self, pid: i32) {
        self.pid.store(pid, Ordering::Relaxed);
        self.present.store(0, Ordering::Relaxed);
    }
}

impl SpillEntry {
    pub(crate) fn note(&self) -> &Note {
        &self.note
    }

    /// The process (high half) and what it has (low half).
    pub(crate) fn word(&self) -> &AtomicU64 {
        &self.word
    }

    /// Gives the entry back, if it is still that of `primitive` and `holder`, who has nothing.
    pub(crate) fn free(&self, primitive: u32, holder: Identity) {
        let idle = u64::from(holder.bits()) << 32;
        let seen = self.word.compare_exchange(idle, 0, Ordering::AcqRel, Ordering::Relaxed);
        if seen.is_ok() || seen == Err(0) {
            self.exchange_tag(tag(primitive, holder), 0);
        }
    }

    fn exchange_tag(&self, old: u64, new: u64) -> bool {
        self.tag.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn is_of(&self, primitive: u32) -> bool {
        self.tag.load(Ordering::Acquire) >> 32 == u64::from(primitive)
    }

    fn claim(&self, primitive: u32, holder: Me) -> bool {
        let claimed = self.tag.load(Ordering::Relaxed) == 0
            && self.exchange_tag(0, tag(primitive, holder.id));
        if claimed {
            self.note.begin(holder.pid);
            self.word.store(u64::from(holder.id.bits()) << 32, Ordering::Release);
        }
        claimed
    }
}

fn tag(primitive: u32, holder: Identity) -> u64 {
    u64::from(primitive) << 32 | u64::from(holder.bits())
}

impl World {
    /// A number for a primitive, never 0 and never used before in this program.
    pub(crate) fn next_key(&self) -> u32 {
        self.keys.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1)
    }

    /// The entries of `primitive`.
    pub(crate) fn spilled(&self, primitive: u32) -> impl Iterator<Item = &SpillEntry> {
        let high = (self.spill_high.load(Ordering::Acquire) as usize).min(ENTRIES);
        self.spill[..high].iter().filter(move |entry| entry.is_of(primitive))
    }

    /// An entry for what `holder` has of `primitive`, with value 0; `None` if there is none even after those of dead processes
    /// were freed.
    pub(crate) fn claim_spill(&self, primitive: u32, holder: Me) -> Option<&SpillEntry> {
        [None, Some(false), Some(true)].into_iter().find_map(|sweep| {
            if let Some(all) = sweep {
                self.sweep_spill(all);
            }
            self.claim_free(primitive, holder)
        })
    }

    #[allow(clippy::cast_possible_truncation, reason = "entries are fewer than 2^32")]
    fn claim_free(&self, primitive: u32, holder: Me) -> Option<&SpillEntry> {
        self.spill.iter().enumerate().find_map(|(index, entry)| {
            // Before the claim, so that no scan stops short of an entry in use.
            if entry.tag.load(Ordering::Relaxed) == 0 {
                self.spill_high.fetch_max(index as u32 + 1, Ordering::AcqRel);
            }
            entry.claim(primitive, holder).then_some(entry)
        })
    }

    /// Frees entries of dead processes: those that say nothing, or all. The primitives of the others have yet to learn from them what the dead
    /// had, if they still exist, which is not known here.
    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    fn sweep_spill(&self, all: bool) {
        for entry in &self.spill {
            let tag = entry.tag.load(Ordering::Acquire);
            let holder = Identity::from_bits(tag as u32);
            // A barrier has yet to notice those who died inside it.
            let is_inside = entry.note.present.load(Ordering::Relaxed) != 0;
            let is_dead = holder != Identity::NOBODY && !self.is_alive(holder);
            if tag != 0 && is_dead && !is_inside {
                if all {
                    entry.word.store(0, Ordering::Release);
                }
                entry.free((tag >> 32) as u32, holder);
            }
        }
    }
}
