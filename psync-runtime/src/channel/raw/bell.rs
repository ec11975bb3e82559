//! A word to sleep on until somebody on the other side has done something.

use crate::{
    primitive::{AtomicU32, Ordering},
    sys::{fault, futex, membarrier},
};

const WAITERS: u32 = 1;
const STEP: u32 = 2;

/// | word | meaning | left by |
/// |---|---|---|
/// | 2n | nobody sleeps | a sleeper (adds the mark) |
/// | 2n + 1 | somebody may sleep, or is about to | `ring` (2n + 3, and wakes; then 2n + 2 if nobody slept, and wakes all who have come meanwhile) |
///
/// Killed between its steps, `ring` leaves the wake-ups to the death.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Bell(AtomicU32);

impl Bell {
    /// The word to sleep on.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// What the word is to be while the caller sleeps. Look once more at what you wait for between this and the sleep.
    #[cold]
    pub(crate) fn ticket(&self) -> u32 {
        let ticket = self.0.fetch_or(WAITERS, Ordering::SeqCst) | WAITERS;
        fault::point("queue: marked as a sleeper");
        membarrier::heavy();
        ticket
    }

    /// Wakes up to `count` sleepers; after the commit of what they wait for. Costs a load if there are none.
    #[inline]
    pub(crate) fn ring(&self, count: u32) {
        membarrier::light();
        if self.0.load(Ordering::Relaxed) & WAITERS != 0 {
            self.wake(count);
        }
    }

    #[cold]
    fn wake(&self, count: u32) {
        let rung = (self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP)) | WAITERS;
        fault::point("queue: bell moved");
        if futex::wake(&self.0, count) == count {
            return;
        }
        // All who slept are awake: only who has come since needs the mark.
        let quiet = rung & !WAITERS;
        let (order, ignored) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.0.compare_exchange(rung, quiet, order, ignored).is_ok() {
            fault::point("queue: bell unmarked");
            // Who has come since may have found the mark, and be asleep already: it marks the bell again. From here on, whoever is
            // about to sleep finds the word changed and asks for another ticket.
            futex::wake(&self.0, u32::MAX);
        }
    }
}
