//! Barriers of which one side is free: the rare one has every processor pass a barrier, the frequent one only keeps the compiler in order.
#![allow(unsafe_code, reason = "neither libc nor nix wraps the call")]

use super::{clock::Deadline, futex, thread};
use crate::primitive::{AtomicU32, Ordering, fence};
use core::time::Duration;
use nix::libc;

const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

/// Whether this process's processors take part: the fork generation · 4 + 1 if so, + 2 if not, 0 if nobody has asked.
static TAKES_PART: AtomicU32 = AtomicU32::new(0);

/// Whether this process takes part in others' [`heavy`] barriers, so that its own may be [`light`].
#[inline]
pub(crate) fn takes_part() -> bool {
    let state = TAKES_PART.load(Ordering::Relaxed);
    if state >> 2 == thread::generation_seen() && state & 3 != 0 { state & 3 == 1 } else { join() }
}

#[cold]
fn join() -> bool {
    let generation = thread::generation();
    let joined = call(REGISTER_GLOBAL_EXPEDITED);
    TAKES_PART.store(generation << 2 | if joined { 1 } else { 2 }, Ordering::Relaxed);
    joined
}

fn call(command: libc::c_int) -> bool {
    // SAFETY: takes three numbers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Between a store and a load of whoever does this often. Pairs with [`heavy`] between a store and a load of somebody else: at least one
/// of the two loads sees the other's store.
#[inline]
pub(crate) fn light() {
    if takes_part() {
        thread::kill_fence();
    } else {
        fence(Ordering::SeqCst);
    }
}

/// [`light`] in a process that is known to take part.
#[inline(always)]
#[allow(clippy::inline_always, reason = "no instruction at all")]
pub(crate) fn light_taking_part() {
    thread::kill_fence();
}

/// The other half of [`light`].
pub(crate) fn heavy() {
    /// Where the call is not to be had: within this time every processor has taken an interrupt, which is a barrier as well.
    const AGES: Duration = Duration::from_millis(20);
    fence(Ordering::SeqCst);
    if !call(GLOBAL_EXPEDITED) {
        let nothing = AtomicU32::new(0);
        let deadline = Deadline::after(AGES);
        while futex::wait(&[(&nothing, 0)], deadline) != futex::Wake::TimedOut {}
    }
    fence(Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads each store to one word and load the other: never may both miss.
    #[test]
    fn one_of_two_sees_the_other() {
        let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
        let seen = AtomicU32::new(0);
        let gate = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=2_000 {
                    gate.wait();
                    a.store(round, Ordering::Relaxed);
                    light();
                    seen.store(b.load(Ordering::Relaxed), Ordering::Relaxed);
                    gate.wait();
                }
            });
            for round in 1..=2_000 {
                gate.wait();
                b.store(round, Ordering::Relaxed);
                heavy();
                let other = a.load(Ordering::Relaxed);
                gate.wait();
                assert!(other == round || seen.load(Ordering::Relaxed) == round);
            }
        });
    }
}
