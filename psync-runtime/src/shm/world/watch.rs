//! How everything in psync blocks: on its own word and on the death epoch together.

use super::existing;
use crate::{
    primitive::{AtomicU32, Ordering},
    sys::{clock::Deadline, futex},
};
use core::time::Duration;

/// How long a blocked operation sleeps before it looks by itself whether those it depends on are alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// The word has changed, or somebody has died, or for no reason: look again.
    Look,
    /// Nothing has happened for a second: look again, and ask the kernel about those you depend on
    /// ([`World::verify`](super::World::verify)), since whoever reports deaths may be dead.
    Verify,
    /// The deadline has passed.
    TimedOut,
}

/// The moment from which deaths count.
///
/// Take one, then check what you depend on, then wait with it: a death after the first step ends the wait at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    epoch: Option<(&'static AtomicU32, u32)>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            epoch: existing().map(|world| (&world.epoch.0, world.epoch.0.load(Ordering::Acquire))),
        }
    }

    /// Sleeps while `word` is `expected` and nobody dies.
    pub(crate) fn wait(&self, word: &AtomicU32, expected: u32, deadline: Deadline) -> Wake {
        self.wait_words(&[(word, expected)], deadline)
    }

    /// Sleeps while all of at most 31 words are as expected and nobody dies.
    pub(crate) fn wait_words(&self, words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
        let slice = Deadline::after(PATIENCE);
        let until = deadline.min(slice);
        let woken = match (self.epoch, words) {
            (Some(epoch), [word]) => futex::wait(&[*word, epoch], until),
            (Some(epoch), words) => {
                let mut all = words.to_vec();
                all.push(epoch);
                futex::wait(&all, until)
            }
            (None, words) => futex::wait(words, until),
        };
        match woken {
            futex::Wake::Woken => Wake::Look,
            futex::Wake::TimedOut if deadline.is_over() => Wake::TimedOut,
            futex::Wake::TimedOut => Wake::Verify,
        }
    }
}
