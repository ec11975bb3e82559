//! The log of a queue: how a message gets in and out by one store each. The README of `channel` says what every word means.

use super::{
    Bell, Census, Side, Work,
    record::{extent_of, follow, look, payload, put},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    sys::{OsError, fault},
};
use core::ptr::NonNull;

pub(crate) const CHUNK: u64 = 256 << 10;
/// Where the log begins.
pub(crate) const LOG: u64 = 4 << 20;
pub(crate) const FIRST_CHUNK: u64 = LOG / CHUNK;
/// Where long messages begin and end.
pub(crate) const EXTENTS: core::ops::Range<u64> = 1 << 54..1 << 55;
/// The longest message that lies in the log itself.
pub(crate) const INLINE: usize = (64 << 10) + 256;
/// How much of the log is reserved at a time.
const STEP: u64 = 16 << 10;
/// How many chunks may wait to be used again.
const SPARE: u64 = 4;
const LIST: usize = 8;

/// The first word of a record: length (low half) and kind.
pub(super) const WORD: u64 = 8;
/// What every record leaves free behind itself: a jump.
pub(super) const JUMP_LEN: u64 = 16;
const JUMP: u64 = 1 << 63;
const EXTENT: u64 = 1 << 62;
/// For the layer above.
const NOTE: u64 = 1 << 61;
const LENGTH: u64 = u32::MAX as u64;

const CHUNK_RETIRES: u64 = 1;
const EXTENT_RETIRES: u64 = 2;

#[repr(C, align(128))]
#[derive(Debug)]
struct Line(AtomicU64);

#[repr(C, align(128))]
#[derive(Debug)]
struct Producers {
    at: [AtomicU64; 2],
    extent: [AtomicU64; 2],
    reserved: AtomicU64,
    fresh: AtomicU64,
    taken: AtomicU64,
    room: AtomicU64,
}

#[repr(C, align(128))]
#[derive(Debug)]
struct Consumers {
    at: [AtomicU64; 2],
    retiring: [AtomicU64; 2],
    known: AtomicU64,
    /// What retires: the number of a chunk; place and length of an extent.
    chunk: [AtomicU64; 2],
    extent: [AtomicU64; 2],
    extent_len: [AtomicU64; 2],
}

/// Everything of a queue that is not a message.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Head {
    /// How many messages it may hold; 0 if there is no limit. Never changes.
    pub(crate) capacity: AtomicU64,
    /// What it carries. Never changes.
    pub(crate) fingerprint: AtomicU64,
    /// Written last by whoever makes the queue.
    pub(crate) magic: AtomicU64,
    /// Which pages of the presence table are in use.
    pub(crate) pages: AtomicU64,
    /// Whether a second process has ever had it, or a message to one.
    pub(crate) was_shared: AtomicU32,
    closed: AtomicU32,
    /// How often a process has let go of its last handle of a kind.
    leaves: AtomicU32,
    pub(crate) census: Census,
    pub(crate) producers: Side,
    producing: Producers,
    sent: Line,
    pub(crate) consumers: Side,
    consuming: Consumers,
    received: Line,
    pub(crate) items: Bell,
    pub(crate) space: Bell,
    freed: Line,
    free: [AtomicU64; LIST],
    pub(crate) work: Work,
}

/// The file behind a queue, as this process sees it.
pub(crate) trait Memory {
    /// The address of a place in the log, mapped to the end of its chunk until the next call.
    fn at(&mut self, place: u64) -> Result<NonNull<u8>, OsError>;
    /// Makes a part of the file writable for certain.
    fn reserve(&self, place: u64, len: u64) -> Result<(), OsError>;
    /// Gives the memory of a part back.
    fn punch(&self, place: u64, len: u64);
    /// Writes to a part that is not mapped.
    fn write(&self, place: u64, parts: &[&[u8]]) -> Result<(), OsError>;
}

/// What became of a push. Nothing but a number: what goes with it would be moved through memory at every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Done,
    Full,
    Closed,
    /// The system refuses; it has said why.
    Refused,
}

/// A message as it lies there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    /// In the log.
    Log(&'a [u8]),
    /// In an extent: place and length.
    Extent(u64, u64),
}

/// What became of a pop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    Got,
    Empty,
    /// What lies there is no record.
    Damaged,
    /// The system refuses; it has said why.
    Refused,
}

/// Where the system's reason for a refusal is left.
pub(crate) type Reason = Option<OsError>;

/// Where a record goes.
struct Place {
    at: u64,
    /// The place of the jump that leads there, if it is in another chunk than the one before.
    jump: Option<u64>,
}

const fn parity(n: u64) -> usize {
    (n & 1) as usize
}

/// The place in the list of the chunk that was put there as number `n`.
#[allow(clippy::cast_possible_truncation, reason = "the list is short")]
const fn listed_at(n: u64) -> usize {
    n as usize % LIST
}

const fn padded(len: u64) -> u64 {
    len.next_multiple_of(WORD)
}

impl Head {
    /// Where its words lie, for whoever reads them from the file.
    pub(crate) const RECEIVED: usize = core::mem::offset_of!(Self, received);
    pub(crate) const PAGES: usize = core::mem::offset_of!(Self, pages);
    pub(crate) const HANDS: usize = core::mem::offset_of!(Self, work) + Work::HIGH;

    /// Fills in what a new queue begins with. Everything else is zero.
    pub(crate) fn begin(&self, capacity: u64, fingerprint: u64, magic: u64) {
        self.capacity.store(capacity, Ordering::Relaxed);
        self.fingerprint.store(fingerprint, Ordering::Relaxed);
        self.producing.at[0].store(LOG, Ordering::Relaxed);
        self.producing.extent[0].store(EXTENTS.start, Ordering::Relaxed);
        self.producing.reserved.store(LOG, Ordering::Relaxed);
        self.producing.fresh.store(FIRST_CHUNK + 1, Ordering::Relaxed);
        self.consuming.at[0].store(LOG, Ordering::Relaxed);
        self.magic.store(magic, Ordering::Release);
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.0.load(Ordering::Acquire)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.0.load(Ordering::Acquire)
    }

    /// How many messages it holds. Never more than were there at some moment of the call.
    pub(crate) fn len(&self) -> u64 {
        let received = self.received();
        self.sent().saturating_sub(received)
    }

    pub(crate) fn is_full(&self) -> bool {
        let capacity = self.capacity.load(Ordering::Relaxed);
        capacity != 0 && self.len() >= capacity
    }

    /// Whether so much room is free that it pays to go on.
    pub(crate) fn is_roomy(&self) -> bool {
        let capacity = self.capacity.load(Ordering::Relaxed);
        self.len() + (capacity / 4).max(1) <= capacity
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire) != 0
    }

    pub(crate) fn leaves(&self) -> u32 {
        self.leaves.load(Ordering::Acquire)
    }

    pub(crate) fn note_leave(&self) {
        self.leaves.fetch_add(1, Ordering::AcqRel);
    }

    /// No message is sent from here on. Only inside the producers' side.
    pub(crate) fn close(&self) {
        self.closed.store(1, Ordering::Release);
    }

    /// Appends a message. Only inside the producers' side.
    #[inline]
    pub(crate) fn push(
        &self,
        memory: &mut impl Memory,
        parts: &[&[u8]],
        note: bool,
        reason: &mut Reason,
    ) -> Pushed {
        let mine = &self.producing;
        let n = self.sent.0.load(Ordering::Relaxed);
        if self.closed.load(Ordering::Relaxed) != 0 {
            return Pushed::Closed;
        }
        if !self.has_room(n) {
            return Pushed::Full;
        }
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let extent = mine.extent[parity(n)].load(Ordering::Relaxed);
        let note = if note { NOTE } else { 0 };
        let written = if len <= INLINE {
            self.write(memory, n, note | len as u64, parts).map(|end| (end, extent))
        } else {
            self.write_long(memory, n, note, parts, len as u64, extent)
        };
        let (end, extent) = match written {
            Ok(next) => next,
            Err(error) => {
                *reason = Some(error);
                return Pushed::Refused;
            }
        };
        mine.at[parity(n + 1)].store(end, Ordering::Relaxed);
        mine.extent[parity(n + 1)].store(extent, Ordering::Relaxed);
        fault::point("queue: message written");
        self.sent.0.store(n + 1, Ordering::Release);
        fault::point("queue: message sent");
        Pushed::Done
    }

    #[inline]
    fn has_room(&self, n: u64) -> bool {
        let capacity = self.capacity.load(Ordering::Relaxed);
        if capacity == 0 || n.wrapping_sub(self.producing.room.load(Ordering::Relaxed)) < capacity {
            return true;
        }
        let received = self.received();
        self.producing.room.store(received, Ordering::Relaxed);
        n.wrapping_sub(received) < capacity
    }

    /// Writes a record that nobody looks at yet; where the next one goes.
    #[inline]
    fn write(
        &self,
        memory: &mut impl Memory,
        n: u64,
        word: u64,
        parts: &[&[u8]],
    ) -> Result<u64, OsError> {
        let len = if word & EXTENT == 0 { word & LENGTH } else { JUMP_LEN };
        let need = WORD + padded(len);
        let place = self.place(n, need);
        let end = place.at + need;
        if end + JUMP_LEN > self.producing.reserved.load(Ordering::Relaxed) {
            self.reserve(memory, end + JUMP_LEN)?;
        }
        if let Some(jump) = place.jump {
            put(memory.at(jump)?, JUMP, &[&place.at.to_ne_bytes()]);
        }
        put(memory.at(place.at)?, word, parts);
        Ok(end)
    }

    /// Writes a long message into an extent, and a record that names it.
    #[cold]
    fn write_long(
        &self,
        memory: &mut impl Memory,
        n: u64,
        note: u64,
        parts: &[&[u8]],
        len: u64,
        extent: u64,
    ) -> Result<(u64, u64), OsError> {
        let room = len.next_multiple_of(4096);
        let extent = if EXTENTS.end - extent < room { EXTENTS.start } else { extent };
        memory.reserve(extent, room)?;
        fault::point("queue: extent reserved");
        memory.write(extent, parts)?;
        let names = [extent.to_ne_bytes(), len.to_ne_bytes()];
        let end = self.write(memory, n, EXTENT | note, &[&names[0], &names[1]])?;
        Ok((end, extent + room))
    }

    /// Where a record of `need` bytes goes.
    #[inline]
    fn place(&self, n: u64, need: u64) -> Place {
        let at = self.producing.at[parity(n)].load(Ordering::Relaxed);
        if at % CHUNK + need + JUMP_LEN <= CHUNK {
            Place { at, jump: None }
        } else {
            Place { at: self.next_chunk(at / CHUNK) * CHUNK, jump: Some(at) }
        }
    }

    /// The chunk after `current`. It is taken once a record in it is committed: until then it stands where it stood.
    #[cold]
    fn next_chunk(&self, current: u64) -> u64 {
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

    /// Reserves the log up to `end`, which lies in the highest chunk ever used.
    #[cold]
    fn reserve(&self, memory: &impl Memory, end: u64) -> Result<(), OsError> {
        let from = self.producing.reserved.load(Ordering::Relaxed);
        let end = end.next_multiple_of(STEP);
        memory.reserve(from, end - from)?;
        self.producing.reserved.store(end, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the oldest message out; `take` gets its bytes, and whether it has the note, before that is committed. Only inside the
    /// consumers' side.
    #[inline]
    pub(crate) fn pop(
        &self,
        memory: &mut impl Memory,
        take: impl FnOnce(Bytes<'_>, bool) -> Result<(), OsError>,
        reason: &mut Reason,
    ) -> Popped {
        let mine = &self.consuming;
        let n = self.received.0.load(Ordering::Relaxed);
        if mine.retiring[parity(n)].load(Ordering::Relaxed) != 0 {
            self.retire(memory, n);
        }
        if !self.has_message(n) {
            return Popped::Empty;
        }
        let at = mine.at[parity(n)].load(Ordering::Relaxed);
        let (record, retires) = match self.find(memory, n, at) {
            Ok(Some(found)) => found,
            Ok(None) => return Popped::Damaged,
            Err(error) => {
                *reason = Some(error);
                return Popped::Refused;
            }
        };
        if let Err(error) = take(record.bytes, record.note) {
            *reason = Some(error);
            return Popped::Refused;
        }
        mine.retiring[parity(n + 1)].store(retires, Ordering::Relaxed);
        mine.at[parity(n + 1)].store(record.end, Ordering::Relaxed);
        fault::point("queue: message copied");
        self.received.0.store(n + 1, Ordering::Release);
        fault::point("queue: message received");
        if retires != 0 {
            self.retire(memory, n + 1);
        }
        Popped::Got
    }

    #[inline]
    fn has_message(&self, n: u64) -> bool {
        let mine = &self.consuming;
        if mine.known.load(Ordering::Relaxed) > n {
            return true;
        }
        let sent = self.sent();
        mine.known.store(sent, Ordering::Relaxed);
        sent > n
    }

    /// The record at `at`, behind a jump if there is one, and what it is the last to need. `None` if there is no record.
    #[inline]
    fn find<'a>(
        &self,
        memory: &'a mut impl Memory,
        n: u64,
        at: u64,
    ) -> Result<Option<(Record<'a>, u64)>, OsError> {
        let Some((mut start, mut word)) = look(memory, at)? else { return Ok(None) };
        let (mut at, mut retires) = (at, 0);
        if word & JUMP != 0 {
            let target = follow(start);
            if !target.is_multiple_of(CHUNK) {
                return Ok(None);
            }
            self.consuming.chunk[parity(n + 1)].store(at / CHUNK, Ordering::Relaxed);
            retires = CHUNK_RETIRES;
            at = target;
            let Some(found) = look(memory, at)? else { return Ok(None) };
            (start, word) = found;
        }
        let note = word & NOTE != 0;
        if word & EXTENT == 0 {
            let len = word & LENGTH;
            let end = at + WORD + padded(len);
            if word & JUMP != 0 || end - at / CHUNK * CHUNK > CHUNK - JUMP_LEN {
                return Ok(None);
            }
            let bytes = Bytes::Log(payload(start, len));
            return Ok(Some((Record { bytes, note, end }, retires)));
        }
        if word & JUMP != 0 || at % CHUNK + WORD + 2 * JUMP_LEN > CHUNK {
            return Ok(None);
        }
        let (place, len) = extent_of(start);
        if !EXTENTS.contains(&place) || len > EXTENTS.end - place {
            return Ok(None);
        }
        self.consuming.extent[parity(n + 1)].store(place, Ordering::Relaxed);
        self.consuming.extent_len[parity(n + 1)].store(len, Ordering::Relaxed);
        let record = Record { bytes: Bytes::Extent(place, len), note, end: at + WORD + JUMP_LEN };
        Ok(Some((record, retires | EXTENT_RETIRES)))
    }

    /// Gives back what the message before `n` was the last to need. Done twice, it is done once.
    #[cold]
    fn retire(&self, memory: &impl Memory, n: u64) {
        let (mine, p) = (&self.consuming, parity(n));
        let what = mine.retiring[p].load(Ordering::Relaxed);
        if what & CHUNK_RETIRES != 0 {
            self.free_chunk(memory, mine.chunk[p].load(Ordering::Relaxed));
        }
        if what & EXTENT_RETIRES != 0 {
            let len = mine.extent_len[p].load(Ordering::Relaxed).next_multiple_of(4096);
            memory.punch(mine.extent[p].load(Ordering::Relaxed), len);
        }
        fault::point("queue: memory given back");
        mine.retiring[p].store(0, Ordering::Relaxed);
    }

    fn free_chunk(&self, memory: &impl Memory, chunk: u64) {
        let freed = self.freed.0.load(Ordering::Relaxed);
        let last = freed.checked_sub(1).map(|last| &self.free[listed_at(last)]);
        // Two chunks that retire one after the other are never the same: so it has been put there by somebody who is dead.
        if last.is_some_and(|last| last.load(Ordering::Relaxed) == chunk) {
            return;
        }
        if freed.wrapping_sub(self.producing.taken.load(Ordering::Acquire)) >= SPARE {
            memory.punch(chunk * CHUNK, CHUNK);
            return;
        }
        self.free[listed_at(freed)].store(chunk, Ordering::Relaxed);
        fault::point("queue: chunk listed");
        self.freed.0.store(freed + 1, Ordering::Release);
    }
}

/// A record that was found whole.
struct Record<'a> {
    bytes: Bytes<'a>,
    note: bool,
    /// Where the next one is looked for.
    end: u64,
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
