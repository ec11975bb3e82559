//! Lines of memory that a side will need soon, fetched before it waits for them.
#![allow(unsafe_code, reason = "instructions that fetch")]

use core::ptr::NonNull;

/// How far ahead of itself a side has the processor fetch, in bytes: a line that the other side's processor has takes as long to come as dozens of
/// messages take to be copied, and where the next record begins is only known when the word of this one is there.
const AHEAD: usize = 1024;
const LINE: usize = 64;

/// Fetches what will be read after the record at `start`, of `len` bytes in all: `more` records follow that are committed, probably of
/// the same length. What is not committed yet is left to whoever writes it.
#[inline]
pub(super) fn expect_reads(start: NonNull<u8>, len: u64, more: u64) {
    let (len, more) = (clamp(len), clamp(more));
    if more != 0 {
        let distance = (AHEAD / len).clamp(1, more) * len;
        lines(distance, len).for_each(|at| to_read(start.as_ptr().wrapping_add(at)));
    }
}

/// Fetches what will be written after the record at `start`, of `len` bytes in all.
#[inline]
pub(super) fn expect_writes(start: NonNull<u8>, len: u64) {
    lines(AHEAD, clamp(len)).for_each(|at| to_write(start.as_ptr().wrapping_add(at)));
}

/// More than that is not looked at.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "small by then")]
fn clamp(number: u64) -> usize {
    number.min(AHEAD as u64) as usize
}

#[inline]
fn lines(from: usize, len: usize) -> impl Iterator<Item = usize> {
    (from..from + len).step_by(LINE)
}

#[inline]
#[cfg(all(target_arch = "x86_64", not(loom), not(miri)))]
fn to_read(line: *const u8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: fetches and reads nothing; any address will do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
}

/// For this one there is no function that a plain x86-64 has.
#[inline]
#[cfg(all(target_arch = "x86_64", not(loom), not(miri)))]
fn to_write(line: *const u8) {
    // SAFETY: fetches and writes nothing; any address will do, and a processor that does not know it does nothing.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags, readonly));
    }
}

#[inline]
#[cfg(not(all(target_arch = "x86_64", not(loom), not(miri))))]
const fn to_read(_: *const u8) {}

#[inline]
#[cfg(not(all(target_arch = "x86_64", not(loom), not(miri))))]
const fn to_write(_: *const u8) {}
