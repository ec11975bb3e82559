//! Records of the log as they lie in memory: a word, and bytes behind it; and which places can be theirs.
#![allow(unsafe_code, reason = "reads and writes records in the mapped log")]

use super::{
    Memory,
    ring::{CHUNK, EXTENTS, JUMP_LEN, LOG, WORD},
};
use crate::sys::OsError;
use core::ptr::NonNull;

/// A message as it lies there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    /// In the log.
    Log(&'a [u8]),
    /// In an extent: place and length.
    Extent(u64, u64),
}

/// A record that was found whole.
pub(super) struct Record<'a> {
    pub(super) bytes: Bytes<'a>,
    pub(super) note: bool,
    /// Where the next one is looked for.
    pub(super) end: u64,
}

pub(super) const fn padded(len: u64) -> u64 {
    len.next_multiple_of(WORD)
}

/// Whether a record or a jump can begin there.
#[inline]
pub(super) fn is_place(at: u64) -> bool {
    (LOG..EXTENTS.start).contains(&at) && at.is_multiple_of(WORD) && at % CHUNK <= CHUNK - JUMP_LEN
}

/// Whether the log can have a chunk of that number.
pub(super) fn is_chunk(number: u64) -> bool {
    (LOG / CHUNK..EXTENTS.start / CHUNK).contains(&number)
}

/// Whether a long message can lie there.
pub(super) fn is_extent(place: u64, len: u64) -> bool {
    place >= EXTENTS.start && EXTENTS.end.checked_sub(place).is_some_and(|room| len <= room)
}

/// Writes a record's word and bytes.
#[inline]
#[allow(clippy::cast_ptr_alignment, reason = "records begin at multiples of 8")]
pub(super) fn put(start: NonNull<u8>, word: u64, parts: &[&[u8]]) {
    // SAFETY: the caller has found room for the whole record in the mapped chunk, whose pages are reserved; nobody else is inside this
    // side, and nobody reads behind the last commit (Q1).
    unsafe { start.cast::<u64>().write(word) };
    // SAFETY: as above.
    let mut at = unsafe { start.add(8) };
    for part in parts {
        // SAFETY: as above; what is sent lies elsewhere.
        unsafe { core::ptr::copy_nonoverlapping(part.as_ptr(), at.as_ptr(), part.len()) };
        // SAFETY: as above.
        at = unsafe { at.add(part.len()) };
    }
}

/// The address and first word of what lies at `at`; `None` if that cannot be a record's place.
#[inline]
#[allow(clippy::cast_ptr_alignment, reason = "records begin at multiples of 8")]
pub(super) fn look(
    memory: &mut impl Memory,
    at: u64,
) -> Result<Option<(NonNull<u8>, u64)>, OsError> {
    if !is_place(at) {
        return Ok(None);
    }
    let start = memory.at(at)?;
    // SAFETY: inside the mapped chunk and aligned; the commit that made it a record has been seen, so nobody writes it (Q1).
    Ok(Some((start, unsafe { start.cast::<u64>().read() })))
}

/// Where a jump leads.
#[allow(clippy::cast_ptr_alignment, reason = "records begin at multiples of 8")]
pub(super) fn follow(start: NonNull<u8>) -> u64 {
    // SAFETY: `look` has seen to it that 16 bytes lie there.
    let target = unsafe { start.add(8) };
    // SAFETY: as above.
    unsafe { target.cast::<u64>().read() }
}

/// Place and length of an extent.
#[allow(clippy::cast_ptr_alignment, reason = "records begin at multiples of 8")]
pub(super) fn extent_of(start: NonNull<u8>) -> (u64, u64) {
    // SAFETY: the caller has seen to it that 24 bytes lie there.
    let len = unsafe { start.add(16) };
    // SAFETY: as above.
    (follow(start), unsafe { len.cast::<u64>().read() })
}

/// The bytes of a record in the log.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "shorter than a chunk")]
pub(super) fn payload<'a>(start: NonNull<u8>, len: u64) -> &'a [u8] {
    // SAFETY: the caller has seen to it that the record ends inside its chunk.
    let bytes = unsafe { start.add(8) };
    // SAFETY: mapped, and written by nobody before its receive is committed (Q1).
    unsafe { core::slice::from_raw_parts(bytes.as_ptr(), len as usize) }
}
