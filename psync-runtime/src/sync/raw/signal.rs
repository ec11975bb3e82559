//! A word to sleep on while the state behind a lock is not as one needs it.

use crate::{
    primitive::{AtomicU32, Ordering},
    sys::{fault, futex},
};

const WAITERS: u32 = 1;
const STEP: u32 = 2;

/// Counts changes of the state behind a lock, as long as somebody waits for one.
///
/// All methods but `word` are for the holder of that lock. A waiter that was registered sleeps on `word` after releasing the
/// lock; `notify` either finds it asleep or has changed the word under it. Killed between its two steps, `notify` leaves the wake-up to the
/// death.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Signal(AtomicU32);

impl Signal {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// The word to sleep on.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// What the word is to be while the caller sleeps.
    pub(crate) fn register(&self) -> u32 {
        let ticket = self.0.load(Ordering::Relaxed) | WAITERS;
        self.0.store(ticket, Ordering::Relaxed);
        fault::point("signal: registered");
        ticket
    }

    /// Whether somebody who was registered may be asleep, or about to be.
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed) & WAITERS != 0
    }

    /// Wakes up to `count` of those who were registered. Costs a load if there are none.
    #[inline]
    pub(crate) fn notify(&self, count: u32) {
        // The kernel's answer to a wake-up of nobody does not tell whether somebody sleeps.
        if count != 0 && self.is_awaited() {
            self.wake(count);
        }
    }

    #[cold]
    fn wake(&self, count: u32) {
        let next = self.0.load(Ordering::Relaxed).wrapping_add(STEP);
        self.0.store(next, Ordering::Relaxed);
        fault::point("signal: stepped");
        let woken = futex::wake(&self.0, count);
        fault::point("signal: woke");
        if woken == 0 {
            // Nobody sleeps, and whoever is about to finds the word changed and registers again.
            self.0.store(next & !WAITERS, Ordering::Relaxed);
            fault::point("signal: nobody slept");
        }
    }
}
