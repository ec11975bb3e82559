//! The kernel's futexes.
//!
//! The kernel compares a word and puts the sleeper into the queue in one go; a wake-up that comes later finds it there. In the model that
//! is so since nothing of the checker's lies between the two, and threads are switched only there.

use super::clock::Deadline;
use crate::{
    machine::{Sabotage, has, sleep, step},
    primitive::{AtomicU32, Ordering},
};

/// See the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Woken,
    TimedOut,
}

/// See the runtime's. The death epoch comes last.
pub(crate) fn wait(words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
    if std::thread::panicking() {
        return Wake::Woken;
    }
    step();
    sleep::begin(deadline);
    for (word, expected) in words {
        if word.latest(Ordering::Relaxed) != *expected {
            return sleep::end(Wake::Woken);
        }
        sleep::enqueue(word.address());
    }
    if sleep::is_out_of_patience() || deadline.is_over() {
        return sleep::end(Wake::TimedOut);
    }
    sleep::sleep()
}

/// See the runtime's.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> u32 {
    if std::thread::panicking() {
        return 0;
    }
    step();
    // To the checker, a step of those who sleep on the word and of this.
    word.latest(Ordering::Relaxed);
    if has(Sabotage::NoWake) { 0 } else { sleep::wake(word.address(), count) }
}

/// See the runtime's.
pub(crate) fn wake_all(word: &AtomicU32) -> u32 {
    wake(word, u32::MAX)
}
