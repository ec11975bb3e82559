//! Sleeping on words of shared memory, on one or two at a time.
#![allow(unsafe_code, reason = "futex system calls take raw addresses")]

use super::{clock::Deadline, fault};
use crate::primitive::AtomicU32;
use core::time::Duration;
use nix::{errno::Errno, libc};

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Somebody woke us, a word differed from what was expected, or for no reason at all.
    Woken,
    /// The deadline has passed.
    TimedOut,
}

/// Sleeps while every word holds its expected value, until one is woken or the deadline passes.
///
/// The words may lie in memory shared between processes.
pub(crate) fn wait(words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
    fault::sleep(|| wait_for_any(words, deadline))
}

fn wait_for_any(words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
    debug_assert!(words.len() <= MAX_WORDS);
    let mut waiters = [VACANT; MAX_WORDS];
    for (waiter, (word, expected)) in waiters.iter_mut().zip(words) {
        waiter.val = u64::from(*expected);
        waiter.uaddr = word.as_ptr().addr() as u64;
    }
    let until = deadline.timespec();
    let until = until.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: `waiters` has at least `words.len()` entries that name live, aligned words; `until` is null or a valid
    // time. The kernel only reads the words.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            waiters.as_ptr(),
            words.len(),
            0,
            until,
            libc::CLOCK_MONOTONIC,
        )
    };
    match Errno::result(result) {
        Err(Errno::ETIMEDOUT) => Wake::TimedOut,
        Err(Errno::ENOSYS | Errno::EPERM) => wait_alone(words, deadline),
        _ => Wake::Woken,
    }
}

/// For sandboxes that do not know `futex_waitv`: sleeps on the first word only, and looks at the others often.
#[cold]
fn wait_alone(words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
    const GLANCE: Duration = Duration::from_millis(20);
    let until = if words.len() == 1 { deadline } else { deadline.min(Deadline::after(GLANCE)) };
    let Some((word, expected)) = words.first() else { return Wake::Woken };
    let time = until.timespec();
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the word is live and aligned, the time null or valid; an absolute time on the monotonic clock.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET,
            *expected,
            time,
            0,
            u32::MAX,
        )
    };
    let timed_out = Errno::result(result) == Err(Errno::ETIMEDOUT);
    if timed_out && deadline.is_over() { Wake::TimedOut } else { Wake::Woken }
}

/// Wakes up to `count` sleepers on `word`, in any process; returns how many.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> u32 {
    // SAFETY: FUTEX_WAKE uses the address as a key and does not touch the memory.
    let woken = unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count.min(i32::MAX as u32))
    };
    u32::try_from(woken).unwrap_or(0)
}

/// Wakes every sleeper on `word`.
pub(crate) fn wake_all(word: &AtomicU32) -> u32 {
    wake(word, i32::MAX as u32)
}

/// How many words one sleep can watch; the kernel allows 128.
pub(crate) const MAX_WORDS: usize = 32;

#[repr(C)]
#[derive(Clone, Copy)]
struct Waiter {
    val: u64,
    uaddr: u64,
    flags: u32,
    reserved: u32,
}

/// `FUTEX2_SIZE_U32`, and not private to this process.
const VACANT: Waiter = Waiter { val: 0, uaddr: 0, flags: 2, reserved: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitive::Ordering;

    #[test]
    fn a_word_that_differs_does_not_sleep() {
        let word = AtomicU32::new(1);
        assert_eq!(wait(&[(&word, 0)], Deadline::NEVER), Wake::Woken);
    }

    #[test]
    fn the_deadline_ends_the_sleep() {
        let word = AtomicU32::new(0);
        assert_eq!(wait(&[(&word, 0)], Deadline::after(Duration::from_millis(5))), Wake::TimedOut);
    }

    #[test]
    fn without_the_newer_call_a_sleep_ends_as_well() {
        let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
        assert_eq!(wait_alone(&[(&a, 1), (&b, 0)], Deadline::NEVER), Wake::Woken);
        assert_eq!(wait_alone(&[(&a, 0), (&b, 0)], Deadline::NEVER), Wake::Woken);
        let soon = Deadline::after(Duration::from_millis(5));
        assert_eq!(wait_alone(&[(&a, 0), (&b, 0)], soon), Wake::TimedOut);
    }

    #[test]
    fn either_word_wakes() {
        let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while b.load(Ordering::Relaxed) == 0 {
                    wait(&[(&a, 0), (&b, 0)], Deadline::NEVER);
                }
            });
            b.store(1, Ordering::Relaxed);
            wake_all(&b);
        });
    }
}
