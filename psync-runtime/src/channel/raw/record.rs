//! Records of the log as they lie in memory: a word, and bytes behind it.
#![allow(unsafe_code, reason = "reads and writes records in the mapped log")]

use super::ring::{CHUNK, EXTENTS, JUMP_LEN, LOG, Memory, WORD};
use crate::sys::OsError;
use core::ptr::NonNull;

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
    if !(LOG..EXTENTS.start).contains(&at)
        || !at.is_multiple_of(WORD)
        || at % CHUNK > CHUNK - JUMP_LEN
    {
        return Ok(None);
    }
    let start = memory.at(at)?;
    // SAFETY: inside the mapped chunk and aligned; the commit that made it a record has been seen, so nobody writes it (Q1).
    Ok(Some((start, unsafe { start.cast::<u64>().read() })))
}

/// How far ahead of itself a side has the processor fetch: a line that the other side's processor has takes as long to come as dozens of
/// messages take to be copied, and where the next record begins is only known when this one's word is there.
const AHEAD: u64 = 1024;
const CACHE_LINE: u64 = 64;

/// Fetches what will be read after the record at `start`, of `len` bytes in all: `more` records follow that are committed, probably as long.
#[inline]
pub(super) fn expect_reads(start: NonNull<u8>, len: u64, more: u64) {
    let distance = (AHEAD / len).max(1).min(more) * len;
    if more != 0 {
        fetch(start, distance, len, to_read);
    }
}

/// Fetches what will be written after the record at `start`, of `len` bytes in all.
#[inline]
pub(super) fn expect_writes(start: NonNull<u8>, len: u64) {
    fetch(start, AHEAD, len, to_write);
}

#[inline]
fn fetch(start: NonNull<u8>, distance: u64, len: u64, prefetch: impl Fn(*const u8)) {
    let mut at = 0;
    while at < len.min(AHEAD) {
        prefetch(start.as_ptr().wrapping_add((distance + at) as usize));
        at += CACHE_LINE;
    }
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

#[cfg(target_arch = "x86_64")]
#[inline]
fn to_read(line: *const u8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: fetches and reads nothing; any address will do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn to_write(line: *const u8) {
    // SAFETY: fetches and writes nothing; any address will do. Processors that do not know it do nothing.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly));
    }
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
