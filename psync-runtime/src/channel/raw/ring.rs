//! The log of a queue: how a message gets in and out by one store each. The README of `channel` says what every word means.

use super::{
    Bell, Memory, Reason, Side, Work,
    near::{expect_reads, expect_writes},
    presence::Changes,
    record::{
        Bytes, Record, extent_of, follow, is_chunk, is_extent, is_place, look, padded, payload, put,
    },
    sizes::{self, INLINE, LIST, STEP},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering, spin_loop},
    sys::{OsError, fault},
};

#[path = "reuse.rs"]
mod reuse;

use reuse::After;

pub(crate) const CHUNK: u64 = sizes::CHUNK;
/// Where the log begins.
pub(crate) const LOG: u64 = 4 << 20;
pub(crate) const FIRST_CHUNK: u64 = LOG / CHUNK;
/// Where long messages begin and end.
pub(crate) const EXTENTS: core::ops::Range<u64> = 1 << 54..1 << 55;

/// From so many messages that came since the last look on, more are probably on their way; and so many are enough for one look.
const CROWD: core::ops::Range<u64> = 4..64;

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
    /// How many had been received at the last look at what was sent.
    looked: AtomicU64,
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
    pub(crate) changes: Changes,
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

/// What became of a push. Nothing but a number: what goes with it would be moved through memory at every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Done,
    Full,
    Closed,
    /// What lies there is no queue.
    Damaged,
    /// The system refuses; it has said why.
    Refused,
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

/// Where a record goes.
struct Place {
    at: u64,
    /// The place of the jump that leads there, if it is in another chunk than the one before.
    jump: Option<u64>,
}

/// The number after `n`. Whatever stands in a word, counting is no error.
const fn next(n: u64) -> u64 {
    n.wrapping_add(1)
}

const fn parity(n: u64) -> usize {
    (n & 1) as usize
}

/// A store that is seldom needed: every store waits for those before it to reach the other side.
#[inline]
fn change(word: &AtomicU64, value: u64) {
    if word.load(Ordering::Relaxed) != value {
        word.store(value, Ordering::Relaxed);
    }
}

impl Head {
    /// Where its words lie, for whoever reads them from the file.
    pub(crate) const RECEIVED: usize = core::mem::offset_of!(Self, received);
    pub(crate) const PAGES: usize = core::mem::offset_of!(Self, pages);
    pub(crate) const MOVES: usize = core::mem::offset_of!(Self, changes) + Changes::MOVES;
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
        self.len().saturating_add((capacity / 4).max(1)) <= capacity
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire) != 0
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
            Err(None) => return Pushed::Damaged,
            Err(error) => {
                *reason = error;
                return Pushed::Refused;
            }
        };
        mine.at[parity(next(n))].store(end, Ordering::Relaxed);
        change(&mine.extent[parity(next(n))], extent);
        fault::point("queue: message written");
        self.sent.0.store(next(n), Ordering::Release);
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
        n.saturating_sub(received) < capacity
    }

    /// Writes a record that nobody looks at yet; where the next one goes.
    #[inline]
    fn write(
        &self,
        memory: &mut impl Memory,
        n: u64,
        word: u64,
        parts: &[&[u8]],
    ) -> Result<u64, Reason> {
        let len = if word & EXTENT == 0 { word & LENGTH } else { JUMP_LEN };
        let need = WORD + padded(len);
        let place = self.place(n, need).ok_or(None)?;
        let end = place.at + need;
        if end + JUMP_LEN > self.producing.reserved.load(Ordering::Relaxed) {
            self.reserve(memory, end + JUMP_LEN)?;
        }
        if let Some(jump) = place.jump {
            put(memory.at_to_write(jump)?, JUMP, &[&place.at.to_ne_bytes()]);
        }
        let start = memory.at_to_write(place.at)?;
        put(start, word, parts);
        expect_writes(start, need);
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
    ) -> Result<(u64, u64), Reason> {
        let room = len.next_multiple_of(4096);
        if !is_extent(extent, 0) {
            return Err(None);
        }
        let extent = if EXTENTS.end - extent < room { EXTENTS.start } else { extent };
        memory.reserve(extent, room)?;
        fault::point("queue: extent reserved");
        memory.write(extent, parts)?;
        let names = [extent.to_ne_bytes(), len.to_ne_bytes()];
        let end = self.write(memory, n, EXTENT | note, &[&names[0], &names[1]])?;
        Ok((end, extent + room))
    }

    /// Where a record of `need` bytes goes. `None` if the words that say so are damaged.
    #[inline]
    fn place(&self, n: u64, need: u64) -> Option<Place> {
        let at = self.producing.at[parity(n)].load(Ordering::Relaxed);
        if !is_place(at) {
            return None;
        }
        if at % CHUNK + need + JUMP_LEN <= CHUNK {
            return Some(Place { at, jump: None });
        }
        let chunk = self.next_chunk(at / CHUNK);
        is_chunk(chunk).then_some(Place { at: chunk * CHUNK, jump: Some(at) })
    }

    /// Reserves the log up to `end`, which lies in the highest chunk ever used.
    #[cold]
    fn reserve(&self, memory: &impl Memory, end: u64) -> Result<(), Reason> {
        let from = self.producing.reserved.load(Ordering::Relaxed);
        let end = end.next_multiple_of(STEP);
        // It lies in this chunk or in the one before.
        if end - from > 2 * CHUNK {
            return Err(None);
        }
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
            self.retire(memory, n, After::Death);
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
        change(&mine.retiring[parity(next(n))], retires);
        mine.at[parity(next(n))].store(record.end, Ordering::Relaxed);
        fault::point("queue: message copied");
        self.received.0.store(next(n), Ordering::Release);
        fault::point("queue: message received");
        if retires != 0 {
            self.retire(memory, next(n), After::Receive);
        }
        Popped::Got
    }

    #[inline]
    fn has_message(&self, n: u64) -> bool {
        let mine = &self.consuming;
        mine.known.load(Ordering::Relaxed) > n || self.look_for_messages(n)
    }

    /// Looks at what was sent, which takes the word from whoever sends: where messages come in crowds, not before there may be a crowd.
    fn look_for_messages(&self, n: u64) -> bool {
        let mine = &self.consuming;
        let crowd = n.wrapping_sub(mine.looked.load(Ordering::Relaxed));
        if crowd >= CROWD.start {
            (0..crowd.min(CROWD.end) / 2).for_each(|_| spin_loop());
        }
        let sent = self.sent();
        mine.known.store(sent, Ordering::Relaxed);
        mine.looked.store(n, Ordering::Relaxed);
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
            self.consuming.chunk[parity(next(n))].store(at / CHUNK, Ordering::Relaxed);
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
            let more = self.consuming.known.load(Ordering::Relaxed).saturating_sub(next(n));
            expect_reads(start, end - at, more);
            return Ok(Some((Record { bytes, note, end }, retires)));
        }
        if word & JUMP != 0 || at % CHUNK + WORD + 2 * JUMP_LEN > CHUNK {
            return Ok(None);
        }
        let (place, len) = extent_of(start);
        if !is_extent(place, len) {
            return Ok(None);
        }
        self.consuming.extent[parity(next(n))].store(place, Ordering::Relaxed);
        self.consuming.extent_len[parity(next(n))].store(len, Ordering::Relaxed);
        let record = Record { bytes: Bytes::Extent(place, len), note, end: at + WORD + JUMP_LEN };
        Ok(Some((record, retires | EXTENT_RETIRES)))
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
