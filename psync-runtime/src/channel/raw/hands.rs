//! The jobs of a work queue that somebody works on: whose they are, and which of them are to be had again.

use super::Bell;
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::Identity,
    sys::fault,
};

/// How many jobs can be in work at once.
pub(crate) const HANDS: usize = 4096;
pub(crate) const PER_PAGE: usize = 4096 / size_of::<Hand>();

/// The place of one job.
///
/// | state | meaning | left by |
/// |---|---|---|
/// | 0 | free | a receiver inside the consumers' side (held, before it commits the receive) |
/// | process, attempt, `HELD`, and `number` is still to be received | nothing: its taker died before the commit | the next receiver (0) |
/// | process, attempt, `HELD`, and `number` was received | it is in work | its holder (0, `DONE` or `RETURNED`); a receiver, once the process is dead (its own, one attempt more) |
/// | process, attempt, `RETURNED` | it is to be had again | a receiver (held, one attempt more) |
/// | process, attempt, `DONE` | it is done, and its memory is being given back | its holder (0); a receiver, once the process is dead (0) |
///
/// Each change is one store. `number`, `len` and `note` are written before the state, and only while it is 0.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Hand {
    state: AtomicU64,
    /// Which message of the queue it is.
    number: AtomicU64,
    len: AtomicU64,
    /// Whether the message has the note.
    note: AtomicU32,
}

const HELD: u64 = 1;
const RETURNED: u64 = 2;
const DONE: u64 = 3;
const KIND: u64 = 3;
const ATTEMPT_SHIFT: u32 = 2;
/// The highest attempt that is counted.
pub(crate) const MOST: u32 = (1 << 30) - 1;

/// What a work queue has beside its log.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Work {
    /// 1 for a work queue. Never changes.
    pub(crate) is_one: AtomicU32,
    /// How often a job is tried; 0 for no limit.
    pub(crate) most_attempts: AtomicU32,
    /// One more than the highest hand ever used. Changed inside the consumers' side.
    high: AtomicU32,
    /// How many pages of hands are reserved. Likewise.
    pub(crate) pages: AtomicU32,
    /// Rung when a job is done.
    pub(crate) done: Bell,
}

const fn pack(holder: Identity, attempt: u32, kind: u64) -> u64 {
    (holder.bits() as u64) << 32 | (attempt as u64) << ATTEMPT_SHIFT | kind
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
impl Hand {
    fn state(&self) -> (Identity, u32, u64) {
        let state = self.state.load(Ordering::Acquire);
        let low = state as u32;
        (Identity::from_bits((state >> 32) as u32), low >> ATTEMPT_SHIFT, state & KIND)
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.state().1
    }

    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn has_note(&self) -> bool {
        self.note.load(Ordering::Relaxed) != 0
    }

    /// Before the receive of message `number` is committed: it will be in the hands of `me`.
    pub(crate) fn fill(&self, me: Identity, number: u64, len: u64, note: bool) {
        self.number.store(number, Ordering::Relaxed);
        self.len.store(len, Ordering::Relaxed);
        self.note.store(u32::from(note), Ordering::Relaxed);
        fault::point("work: hand described");
        self.state.store(pack(me, 1, HELD), Ordering::Release);
        fault::point("work: hand filled");
    }

    /// A job that is to be had again goes to `me`. Inside the consumers' side.
    pub(crate) fn take_over(&self, me: Identity) {
        let attempt = (self.attempt() + 1).min(MOST);
        self.state.store(pack(me, attempt, HELD), Ordering::Release);
        fault::point("work: job taken over");
    }

    /// It is done, and still has memory to give back. By its holder.
    pub(crate) fn done(&self) {
        let (holder, attempt, _) = self.state();
        self.state.store(pack(holder, attempt, DONE), Ordering::Release);
        fault::point("work: job done, but for its memory");
    }

    /// It is done. By its holder, or inside the consumers' side.
    pub(crate) fn free(&self) {
        self.state.store(0, Ordering::Release);
        fault::point("work: job done");
    }

    /// Its holder gives it up undone.
    pub(crate) fn give_up(&self) {
        let (holder, attempt, _) = self.state();
        self.state.store(pack(holder, attempt, RETURNED), Ordering::Release);
        fault::point("work: job given up");
    }
}

/// Whether a part of the table, as bytes, has a job that is not done.
pub(crate) fn bytes_have_jobs(bytes: &[u8], received: u64) -> bool {
    bytes.chunks_exact(size_of::<Hand>()).any(|hand| {
        let word = |at: usize| hand.get(at..)?.first_chunk().copied().map(u64::from_ne_bytes);
        let state = word(core::mem::offset_of!(Hand, state)).unwrap_or(0);
        let number = word(core::mem::offset_of!(Hand, number)).unwrap_or(0);
        matches!(state & KIND, HELD | RETURNED) && number < received
    })
}

impl Work {
    /// Where the word lies that says how many hands to look at.
    pub(super) const HIGH: usize = core::mem::offset_of!(Self, high);

    fn used<'a>(&self, hands: &'a [Hand; HANDS]) -> &'a [Hand] {
        &hands[..(self.high.load(Ordering::Acquire) as usize).min(HANDS)]
    }

    /// Frees the hands of those who died before their receive was committed, or with what was done; `release` gives back the memory that
    /// the latter have. Inside the consumers' side.
    pub(crate) fn sweep(
        &self,
        hands: &[Hand; HANDS],
        received: u64,
        is_dead: impl Fn(Identity) -> bool,
        release: impl Fn(usize),
    ) {
        for (index, hand) in self.used(hands).iter().enumerate() {
            let (holder, _, kind) = hand.state();
            let is_done = kind == DONE && is_dead(holder);
            if is_done {
                release(index);
            }
            if is_done || kind != 0 && hand.number.load(Ordering::Relaxed) >= received {
                hand.state.store(0, Ordering::Release);
            }
        }
    }

    /// The oldest job that is to be had again, of those that were tried at least so many times.
    pub(crate) fn find_again(
        &self,
        hands: &[Hand; HANDS],
        received: u64,
        is_dead: impl Fn(Identity) -> bool,
        times: u32,
    ) -> Option<usize> {
        let is_again = |hand: &Hand| {
            let seen = hand.state();
            let (holder, attempt, kind) = seen;
            // Who is dead by now may have done it just before.
            let is_left = || kind == HELD && is_dead(holder) && hand.state() == seen;
            hand.number.load(Ordering::Relaxed) < received
                && attempt >= times
                && (kind == RETURNED || is_left())
        };
        let all = self.used(hands).iter().enumerate().filter(|(_, hand)| is_again(hand));
        all.min_by_key(|(_, hand)| hand.number.load(Ordering::Relaxed)).map(|(index, _)| index)
    }

    /// How many jobs are in work, or to be had again; those of `except` aside.
    pub(crate) fn in_hands(&self, hands: &[Hand; HANDS], received: u64, except: Identity) -> usize {
        let counts = |hand: &&Hand| {
            let (holder, _, kind) = hand.state();
            let is_own = kind == HELD && holder == except && except != Identity::NOBODY;
            matches!(kind, HELD | RETURNED)
                && !is_own
                && hand.number.load(Ordering::Relaxed) < received
        };
        self.used(hands).iter().filter(counts).count()
    }

    /// Who works on jobs, alive or not.
    pub(crate) fn workers(&self, hands: &[Hand; HANDS], received: u64) -> Vec<Identity> {
        let held = self.used(hands).iter().filter(|hand| {
            hand.state().2 == HELD && hand.number.load(Ordering::Relaxed) < received
        });
        held.map(|hand| hand.state().0).collect()
    }

    /// A free hand. Inside the consumers' side; its page may have to be reserved.
    #[allow(clippy::cast_possible_truncation, reason = "hands are few")]
    pub(crate) fn find_free(&self, hands: &[Hand; HANDS]) -> Option<usize> {
        let used = self.used(hands);
        let free = used.iter().position(|hand| hand.state().2 == 0);
        free.or_else(|| (used.len() < HANDS).then_some(used.len()))
    }

    /// The hand is going to be used. Inside the consumers' side.
    #[allow(clippy::cast_possible_truncation, reason = "hands are few")]
    pub(crate) fn note_use(&self, index: usize) {
        self.high.fetch_max(index as u32 + 1, Ordering::AcqRel);
    }
}
