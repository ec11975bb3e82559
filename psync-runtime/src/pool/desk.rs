//! What a pool and its workers share beside the queues: which batch is whose, how far it is, and the gate that stops a worker between two tasks.
//!
//! A *slot* belongs to one batch that was sent, a *seat* to one worker.
//!
//! | slot: epoch · seat · state | meaning | left by |
//! |---|---|---|
//! | `FREE` | no batch | the pool (next epoch, `QUEUED`), which sends the batch afterwards |
//! | `QUEUED` | sent, and nobody has begun with it | a worker (`TAKEN`, with its seat); the pool (`WITHDRAWN`) |
//! | `TAKEN` | that worker alone works on it | the pool (`STOPPED`; `FREE` once its last result is in or the worker is dead) |
//! | `STOPPED` | the same, but no further task of it is to begin | the pool (`FREE`) |
//! | `WITHDRAWN` | nobody will work on it | the pool (`FREE`), once whoever took the message has said so or is dead |
//!
//! | word of a seat | meaning | written by |
//! |---|---|---|
//! | `batch` | the ticket (slot and epoch) of the batch that it takes, from before the message is gone from the queue until its last result was sent | the worker |
//! | `begun` | how many tasks of it have begun | the worker, before each one |
//! | `progress` | how many have finished, and how long their results in `buffer` are: **the commit of a task** | the worker, after each one |
//! | `gate` | whether nothing may begin | the pool |
//! | `since` | when the last one began, by the coarse clock | the worker, before `begun` |
//! | `ready` | whether it has begun with its initialiser (1), or has run it (2) | the worker |
//! | `tasks` | how many it has finished in its life | the worker |
//!
//! **What a kill leaves.** Before `batch` is stored: nothing. After that and before the message is gone: a ticket whose slot is `QUEUED`; the pool withdraws it and sends
//! the batch again under another ticket, so that the message, which may still be there, is worth nothing. (If another worker took it meanwhile, the slot is `TAKEN` by
//! another seat, and the dead one had nothing.) After the exchange to `TAKEN`: what `progress` says is finished is finished, and its results are in the buffer or have been sent; a task that
//! had begun beyond that was running; the rest has not begun. Results that were sent and are in the buffer as well (killed before the buffer was marked empty) are told by their index; so is a long one, which is sent before its task is
//! committed.
//!
//! **The gate.** A worker stores `begun` and then looks at the gate; the pool shuts the gate and then, after a barrier on all processors, looks at `begun`. So either the
//! worker stops, or the pool sees the task that has begun. If that is the one to be ended, the worker is killed, and nothing else can have begun; if not, the gate opens again. The
//! same barrier has the worker see a slot that was `STOPPED` before.
#![allow(unsafe_code, reason = "cells in shared memory, and promises about their layout")]

use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering, UnsafeCell},
    shm::{ShmSafe, Zeroable, fingerprint},
    sys::{clock::Deadline, fault, futex, membarrier},
};
use core::time::Duration;

/// How many bytes of results a worker gathers before it sends them: longer messages than that take another way.
pub(super) const BUFFER: usize = 60 << 10;
/// What precedes each result: the index in the batch, and its length with [`FAULT`].
pub(super) const RECORD: usize = 8;
/// The result is a fault.
pub(super) const FAULT: u32 = 1 << 31;

/// A batch that was sent: its slot and the slot's epoch. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Ticket {
    #[allow(clippy::cast_possible_truncation, reason = "slots are few")]
    pub(super) const fn new(slot: usize, epoch: u32) -> Self {
        Self((epoch as u64) << 32 | (slot as u32 + 1) as u64)
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    /// The slot's number, unless it is no ticket.
    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(super) const fn slot(self) -> Option<usize> {
        (self.0 as u32 as usize).checked_sub(1)
    }

    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(super) const fn epoch(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

const STATE: u64 = 0xff;
const SEAT_SHIFT: u32 = 8;

/// Where a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Queued,
    /// By the worker in that seat.
    Taken(usize),
    Stopped(usize),
    Withdrawn,
}

impl State {
    const fn bits(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Queued => 1,
            Self::Taken(seat) => 2 | (seat as u64) << SEAT_SHIFT,
            Self::Stopped(seat) => 3 | (seat as u64) << SEAT_SHIFT,
            Self::Withdrawn => 4,
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    const fn from_bits(bits: u64) -> Self {
        let seat = ((bits as u32) >> SEAT_SHIFT) as usize;
        match bits & STATE {
            1 => Self::Queued,
            2 => Self::Taken(seat),
            3 => Self::Stopped(seat),
            4 => Self::Withdrawn,
            _ => Self::Free,
        }
    }
}

/// See the module.
#[repr(transparent)]
#[derive(Debug)]
pub(super) struct Slot(AtomicU64);

impl Slot {
    const fn word(epoch: u32, state: State) -> u64 {
        (epoch as u64) << 32 | state.bits()
    }

    /// What the batch with this ticket is; `Free` if it has it no more.
    pub(super) fn state(&self, ticket: Ticket) -> State {
        let word = self.0.load(Ordering::Acquire);
        if word >> 32 == u64::from(ticket.epoch()) { State::from_bits(word) } else { State::Free }
    }

    /// For a batch that is about to be sent.
    pub(super) fn queue(&self, epoch: u32) {
        self.0.store(Self::word(epoch, State::Queued), Ordering::Release);
    }

    pub(super) fn free(&self, epoch: u32) {
        self.0.store(Self::word(epoch, State::Free), Ordering::Release);
    }

    /// A step that only one of the pool and the workers can make.
    fn step(&self, ticket: Ticket, from: State, to: State) -> bool {
        let (from, to) = (Self::word(ticket.epoch(), from), Self::word(ticket.epoch(), to));
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(super) fn take(&self, ticket: Ticket, seat: usize) -> bool {
        self.step(ticket, State::Queued, State::Taken(seat))
    }

    pub(super) fn withdraw(&self, ticket: Ticket) -> bool {
        self.step(ticket, State::Queued, State::Withdrawn)
    }

    pub(super) fn stop(&self, ticket: Ticket, seat: usize) -> bool {
        self.step(ticket, State::Taken(seat), State::Stopped(seat))
    }
}

/// See the module.
#[repr(C, align(128))]
#[derive(Debug)]
pub(super) struct Seat {
    batch: AtomicU64,
    progress: AtomicU64,
    since: AtomicU64,
    begun: AtomicU32,
    ready: AtomicU32,
    tasks: AtomicU64,
    gate: AtomicU32,
    buffer: Buffer,
}

#[repr(C, align(128))]
#[derive(Debug)]
struct Buffer(UnsafeCell<[u8; BUFFER]>);

// SAFETY: only the worker writes the buffer, and only behind what `progress` says (D1); the pool reads what `progress` says once the worker is dead.
unsafe impl Sync for Buffer {}

// SAFETY: atomics and bytes, laid out by `repr(C)`, without drop glue; any bytes are valid.
unsafe impl ShmSafe for Seat {
    const FINGERPRINT: u64 = fingerprint("pool::Seat", &[], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: all-zero words are the seat of a worker that has not begun.
unsafe impl Zeroable for Seat {}
// SAFETY: one atomic.
unsafe impl ShmSafe for Slot {
    const FINGERPRINT: u64 = fingerprint("pool::Slot", &[], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: a zero word is a free slot.
unsafe impl Zeroable for Slot {}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) begun: u32,
    pub(super) finished: u32,
}

impl Progress {
    /// The index of the task that runs.
    pub(super) fn running(self) -> Option<u32> {
        (self.begun > self.finished).then_some(self.finished)
    }
}

/// What the worker does.
impl Seat {
    /// Before the message of a batch is taken out of the queue.
    pub(super) fn claim(&self, ticket: Ticket) {
        self.progress.store(0, Ordering::Relaxed);
        self.begun.store(0, Ordering::Relaxed);
        self.batch.store(ticket.bits(), Ordering::Release);
        fault::point("pool: batch claimed");
    }

    /// Whether the task with this index may begin; it has, then. Waits while the gate is shut.
    #[inline]
    pub(super) fn begin(&self, index: u32, now: u64, is_wanted: impl Fn() -> bool) -> bool {
        self.since.store(now, Ordering::Relaxed);
        loop {
            self.begun.store(index + 1, Ordering::Release);
            // Pairs with the barrier in `shut_gate`: the pool sees that it has begun, or we see what the pool did before.
            membarrier::light();
            let is_open = self.gate.load(Ordering::Acquire) == 0;
            if is_open && is_wanted() {
                fault::point("pool: task begun");
                return true;
            }
            self.begun.store(index, Ordering::Release);
            if !is_wanted() {
                return false;
            }
            // The pool opens it, or kills us.
            while self.gate.load(Ordering::Acquire) != 0 {
                futex::wait(&[(&self.gate, 1)], Deadline::after(Duration::from_secs(1)));
            }
        }
    }

    /// Writes a result into the buffer, where `used` bytes are in use, and commits the task. How many are in use then; `None` if there is no room.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "results in the buffer are short")]
    pub(super) fn record(
        &self,
        index: u32,
        used: usize,
        result: &[u8],
        fault: u32,
    ) -> Option<usize> {
        let end = used.checked_add(RECORD + result.len()).filter(|end| *end <= BUFFER)?;
        let start = self.buffer.0.get().cast::<u8>();
        let head = [index, result.len() as u32 | fault];
        // SAFETY: `used` is less than the buffer's length.
        let at = unsafe { start.add(used) };
        // SAFETY: so many bytes lie inside the buffer, behind what `progress` says, where only this worker writes (D1).
        unsafe { core::ptr::copy_nonoverlapping(head.as_ptr().cast::<u8>(), at, RECORD) };
        // SAFETY: as above.
        let at = unsafe { at.add(RECORD) };
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(result.as_ptr(), at, result.len()) };
        self.commit(index + 1, end);
        Some(end)
    }

    /// So many tasks are finished, and so many bytes of the buffer in use.
    #[inline]
    pub(super) fn commit(&self, finished: u32, used: usize) {
        self.progress.store(u64::from(finished) << 32 | used as u64, Ordering::Release);
        fault::point("pool: progress committed");
    }

    /// The results that were not sent yet. Only for the worker, or for the pool once the worker is dead.
    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(super) fn results(&self) -> &[u8] {
        let used = self.progress.load(Ordering::Acquire) as u32 as usize;
        let start = self.buffer.0.get().cast::<u8>();
        // SAFETY: inside the buffer, written before the commit that was just read; nobody writes it while the caller looks (D1).
        unsafe { core::slice::from_raw_parts(start, used.min(BUFFER)) }
    }

    /// The batch is over, and all that became of it was sent.
    pub(super) fn leave(&self, tasks: u64) {
        self.tasks.store(tasks, Ordering::Relaxed);
        self.batch.store(0, Ordering::Release);
        fault::point("pool: batch left");
    }

    /// Before the initialiser.
    pub(super) fn note_prepares(&self) {
        self.ready.store(1, Ordering::Release);
    }

    /// After it.
    pub(super) fn note_ready(&self) {
        self.ready.store(2, Ordering::Release);
    }
}

/// What the pool does.
impl Seat {
    /// For the next worker. Its last one is dead.
    pub(super) fn clear(&self) {
        for word in [&self.batch, &self.progress, &self.since, &self.tasks] {
            word.store(0, Ordering::Relaxed);
        }
        for word in [&self.begun, &self.ready, &self.gate] {
            word.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket::from_bits(self.batch.load(Ordering::Acquire))
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) == 2
    }

    /// Whether its initialiser can be what it has ended of.
    pub(super) fn has_prepared(&self) -> bool {
        self.ready.load(Ordering::Acquire) != 0
    }

    pub(super) fn tasks(&self) -> u64 {
        self.tasks.load(Ordering::Relaxed)
    }

    pub(super) fn progress(&self) -> Progress {
        let finished = (self.progress.load(Ordering::Acquire) >> 32) as u32;
        Progress { begun: self.begun.load(Ordering::Acquire), finished }
    }

    /// When the task that runs began, by the coarse clock.
    pub(super) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    /// Nothing begins from here on. What has begun by then is seen by whoever asks afterwards.
    pub(super) fn shut_gate(&self) {
        self.gate.store(1, Ordering::SeqCst);
        membarrier::heavy();
    }

    pub(super) fn open_gate(&self) {
        self.gate.store(0, Ordering::Release);
        futex::wake_all(&self.gate);
    }
}
