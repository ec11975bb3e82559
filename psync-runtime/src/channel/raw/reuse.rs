//! Memory of a log that goes round: chunks that have been read are written again, or go back to the system.

use super::{CHUNK_RETIRES, EXTENT_RETIRES, Head, LIST, next, parity};
use crate::{
    channel::raw::{
        Memory,
        record::{is_chunk, is_extent},
        sizes::{CHUNK, SPARE},
    },
    primitive::Ordering,
    sys::fault,
};

/// When memory is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// By whoever has just received.
    Receive,
    /// By the next one, for whoever died meanwhile.
    Death,
}

/// The place in the list of the chunk that was put there as number `n`.
#[allow(clippy::cast_possible_truncation, reason = "the list is short")]
const fn listed_at(n: u64) -> usize {
    n as usize % LIST
}

impl Head {
    /// The chunk after `current`. It is taken once a record in it is committed: until then it stands where it stood.
    #[cold]
    pub(super) fn next_chunk(&self, current: u64) -> u64 {
        let mine = &self.producing;
        let freed = self.freed.0.load(Ordering::Acquire);
        let mut taken = mine.taken.load(Ordering::Relaxed);
        let listed = |taken: u64| {
            (taken < freed).then(|| self.free[listed_at(taken)].load(Ordering::Relaxed))
        };
        if listed(taken) == Some(current) {
            taken += 1;
            mine.taken.store(taken, Ordering::Release);
        }
        let mut fresh = mine.fresh.load(Ordering::Relaxed);
        if fresh == current {
            fresh += 1;
            mine.fresh.store(fresh, Ordering::Relaxed);
        }
        listed(taken).unwrap_or(fresh)
    }

    /// Gives back what the message before `n` was the last to need. Done twice, it is done once.
    #[cold]
    pub(super) fn retire(&self, memory: &impl Memory, n: u64, after: After) {
        let (mine, p) = (&self.consuming, parity(n));
        let what = mine.retiring[p].load(Ordering::Relaxed);
        if what & CHUNK_RETIRES != 0 {
            self.free_chunk(memory, mine.chunk[p].load(Ordering::Relaxed), after);
        }
        if what & EXTENT_RETIRES != 0 {
            let place = mine.extent[p].load(Ordering::Relaxed);
            let len = mine.extent_len[p].load(Ordering::Relaxed);
            if is_extent(place, len) {
                memory.punch(place, len.next_multiple_of(4096));
            }
        }
        fault::point("queue: memory given back");
        mine.retiring[p].store(0, Ordering::Relaxed);
    }

    fn free_chunk(&self, memory: &impl Memory, chunk: u64, after: After) {
        let freed = self.freed.0.load(Ordering::Relaxed);
        let last = freed.checked_sub(1).map(|last| &self.free[listed_at(last)]);
        // Two chunks that retire one after the other are never the same: so it has been put there by somebody who is dead.
        if last.is_some_and(|last| last.load(Ordering::Relaxed) == chunk) || !is_chunk(chunk) {
            return;
        }
        // Whoever is dead may have given its pages back already: then it is not to be written any more.
        let may_be_punched = after == After::Death;
        if may_be_punched
            || freed.wrapping_sub(self.producing.taken.load(Ordering::Acquire)) >= SPARE
        {
            memory.punch(chunk * CHUNK, CHUNK);
            return;
        }
        self.free[listed_at(freed)].store(chunk, Ordering::Relaxed);
        fault::point("queue: chunk listed");
        self.freed.0.store(next(freed), Ordering::Release);
    }
}
