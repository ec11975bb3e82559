//! Spinning that knows when it does not pay.

use crate::{
    primitive::{AtomicU32, Ordering, spin_loop},
    sys::processors,
};

/// How many rounds one spin may take: about as long as the sleep and wake that it wants to save.
const MOST: u32 = 2000;
/// How many rounds are tried even where spinning has achieved nothing lately.
const LEAST: u32 = 8;
/// After how many failures in a row the full length is tried again.
const PROBE: u32 = 64;

/// What spinning has achieved lately on one primitive.
///
/// The low half is the number of rounds to spend the next time, 0 before the first; the high half counts failures since the last
/// success. It is a hint: racing updates may be lost.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Spin(AtomicU32);

impl Spin {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Asks `done` again and again for a short while; whether it became true. With one processor, asks never.
    ///
    /// The pauses between the questions grow up to `longest` rounds: each question slows down whoever works on what is waited for.
    pub(crate) fn until(&self, longest: u32, mut done: impl FnMut() -> bool) -> bool {
        if !processors::are_several() {
            return false;
        }
        let memory = self.0.load(Ordering::Relaxed);
        let (budget, failures) = (memory & 0xffff, memory >> 16);
        let budget = if budget == 0 || failures >= PROBE { MOST } else { budget };
        let (mut rounds, mut pause) = (0, 1);
        while rounds < budget {
            if done() {
                let better = (3 * budget + 4 * rounds + 4 * LEAST) / 4;
                self.learn(memory, better.min(MOST), 0);
                return true;
            }
            for _ in 0..pause {
                spin_loop();
            }
            rounds += pause;
            pause = (2 * pause).min(longest);
        }
        let failures = if failures >= PROBE { 0 } else { failures + 1 };
        self.learn(memory, (budget / 2).max(LEAST), failures);
        false
    }

    fn learn(&self, before: u32, budget: u32, failures: u32) {
        let after = failures << 16 | budget;
        if after != before {
            self.0.store(after, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_makes_it_shorter_and_success_longer() {
        if !processors::are_several() {
            return;
        }
        let spin = Spin::new();
        for _ in 0..32 {
            assert!(!spin.until(1, || false));
        }
        assert_eq!(spin.0.load(Ordering::Relaxed) & 0xffff, LEAST);
        let mut rounds = 0;
        assert!(spin.until(1, || {
            rounds += 1;
            rounds == LEAST
        }));
        assert!(spin.0.load(Ordering::Relaxed) & 0xffff > LEAST);
    }

    #[test]
    fn what_is_done_already_costs_one_look() {
        let mut looks = 0;
        let done = Spin::new().until(1, || {
            looks += 1;
            true
        });
        assert_eq!((looks, done), if processors::are_several() { (1, true) } else { (0, false) });
    }
}
