//! How everything in psync blocks: on its own word and on the death epoch together.

use super::existing;
use crate::{
    primitive::{AtomicU32, Ordering},
    sys::{clock::Deadline, futex},
};
use core::{cell::Cell, time::Duration};

/// How long a blocked operation sleeps before it looks by itself whether those it depends on are alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// The word has changed, or somebody has died, or for no reason: look again.
    Look,
    /// The same, and this thread has not done so for a second: ask the kernel about those you depend on
    /// ([`World::verify`](super::World::verify)), since whoever would report their deaths may be dead, also if others report other deaths.
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
            futex::Wake::TimedOut if deadline.is_over() => Wake::TimedOut,
            futex::Wake::Woken | futex::Wake::TimedOut => after_a_while(),
        }
    }
}

/// [`Wake::Verify`] once a second for each thread, and [`Wake::Look`] otherwise.
pub(super) fn after_a_while() -> Wake {
    thread_local! {
        static NEXT: Cell<Option<Deadline>> = const { Cell::new(None) };
    }
    let next = NEXT.try_with(|cell| {
        let next = cell.get().unwrap_or_else(|| Deadline::after(PATIENCE));
        let is_over = next.is_over();
        cell.set(Some(if is_over { Deadline::after(PATIENCE) } else { next }));
        is_over
    });
    if next.unwrap_or(true) { Wake::Verify } else { Wake::Look }
}
