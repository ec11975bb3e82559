//! The event word.

use super::spin::{Spin, Worth};
use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::{Blocking, Watch, Whom},
    sys::{fault, futex},
};

const SET: u32 = 1;
const WAITERS: u32 = 2;
/// Counts how often the event became set, so that a waiter sees a `set` that was cleared at once.
const ONE_SET: u32 = 4;

/// A flag to wait for.
///
/// | word | meaning | left by |
/// |---|---|---|
/// | n | clear, nobody sleeps | `set` (n+1 `SET`), a waiter (adds `WAITERS`) |
/// | n `WAITERS` | clear, somebody may sleep | `set` (n+1 `SET`, and wakes all) |
/// | n `SET` | set; nobody sleeps, or is about to be woken | `clear` (n) |
///
/// Each step is one exchange, so a kill leaves one of these states. One between the exchange of `set` and its wake-up is made
/// up for by the death, which wakes everybody; they see the new n.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawEvent {
    word: AtomicU32,
    spin: Spin,
}

impl RawEvent {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(0), spin: Spin::new() }
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) & SET != 0
    }

    #[inline]
    pub(crate) fn set(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            // Already set: still an exchange, so that what we wrote is visible to whoever sees the event set.
            let next =
                if seen & SET == 0 { (seen.wrapping_add(ONE_SET) | SET) & !WAITERS } else { seen };
            match self.word.compare_exchange(seen, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        fault::point("event: set");
        if seen & WAITERS != 0 {
            self.wake();
        }
    }

    #[inline]
    pub(crate) fn clear(&self) {
        self.word.fetch_and(!SET, Ordering::AcqRel);
        fault::point("event: cleared");
    }

    #[cold]
    fn wake(&self) {
        self.spin.note_processor();
        futex::wake_all(&self.word);
        fault::point("event: woke");
    }

    /// Waits until the event is or has been set; false if the deadline comes first.
    #[inline]
    pub(crate) fn wait(&self, blocking: &Blocking) -> bool {
        self.is_set() || self.wait_unset(blocking)
    }

    #[cold]
    fn wait_unset(&self, blocking: &Blocking) -> bool {
        let began = self.word.load(Ordering::Acquire);
        if began & SET != 0 || self.has_been_set(began) {
            return true;
        }
        if blocking.is_over() {
            return false;
        }
        if self.spin.until(Worth::Meeting, 4, || self.has_been_set(began)) {
            return true;
        }
        loop {
            let watch = Watch::new();
            let seen = self.word.load(Ordering::Acquire);
            if (seen ^ began) & !WAITERS != 0 {
                return true;
            }
            if blocking.is_over() {
                return false;
            }
            let marked = seen | WAITERS;
            if seen == marked
                || self
                    .word
                    .compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            {
                fault::point("event: falls asleep");
                blocking.sleep(watch, &self.word, marked, Whom::Unknown);
                fault::point("event: awake");
            }
        }
    }

    /// For a wait on several things: the word, and its value with the mark that somebody sleeps. `None` if the event is set.
    pub(crate) fn sleep_word(&self) -> Option<(&AtomicU32, u32)> {
        let seen = self.word.fetch_or(WAITERS, Ordering::Acquire);
        fault::point("event: waiters set for several");
        if seen & SET == 0 {
            return Some((&self.word, seen | WAITERS));
        }
        self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        None
    }

    /// Whether the event became set since its word was `began`.
    fn has_been_set(&self, began: u32) -> bool {
        (self.word.load(Ordering::Acquire) ^ began) & !WAITERS != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock::Deadline;
    use core::time::Duration;

    #[test]
    fn set_and_clear_leave_no_waiters_behind() {
        let event = RawEvent::new();
        assert!(!event.wait(&Deadline::after(Duration::ZERO).into()));
        assert!(!event.wait(&Deadline::after(Duration::from_millis(5)).into()));
        event.set();
        event.set();
        assert!(event.is_set());
        assert!(event.wait(&Deadline::NEVER.into()));
        event.clear();
        assert!(!event.is_set());
        assert_eq!(event.word.load(Ordering::Relaxed), ONE_SET);
    }

    #[test]
    fn a_set_that_is_cleared_at_once_is_not_missed() {
        let event = RawEvent::new();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| event.wait(&Deadline::NEVER.into()));
            while event.word.load(Ordering::Relaxed) & WAITERS == 0 {
                std::thread::yield_now();
            }
            event.set();
            event.clear();
            assert!(waiter.join().expect("the waiter does not panic"));
        });
    }
}
