//! How a machine blocks: on its own word and on the death epoch together. Nobody looks for circles of threads that wait for each other.

use super::{Identity, existing};
use crate::{
    primitive::{AtomicU32, Ordering},
    sys::{clock::Deadline, futex},
};

/// See the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Look,
    Verify,
    TimedOut,
}

/// See the runtime's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    epoch: Option<(&'static AtomicU32, u32)>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let epoch = existing().map(|world| (world.epoch(), world.epoch().load(Ordering::Acquire)));
        Self { epoch }
    }

    pub(crate) fn wait(&self, word: &AtomicU32, expected: u32, deadline: Deadline) -> Wake {
        self.wait_words(&[(word, expected)], deadline)
    }

    fn wait_words(&self, words: &[(&AtomicU32, u32)], deadline: Deadline) -> Wake {
        let words = words.iter().copied().chain(self.epoch);
        match futex::wait(&words.collect::<Vec<_>>(), deadline) {
            futex::Wake::Woken => Wake::Look,
            futex::Wake::TimedOut if deadline.is_over() => Wake::TimedOut,
            futex::Wake::TimedOut => Wake::Verify,
        }
    }
}

/// See the runtime's.
#[derive(Debug)]
pub(crate) struct Blocking {
    pub(crate) deadline: Deadline,
}

/// See the runtime's.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    Unknown,
    Owner(#[allow(dead_code, reason = "as in the runtime")] &'a dyn Fn() -> Option<(i32, u32)>),
    Readers(#[allow(dead_code, reason = "as in the runtime")] usize),
    Anyone(#[allow(dead_code, reason = "as in the runtime")] &'a dyn Fn() -> Option<Holders>),
}

/// See the runtime's.
#[derive(Debug)]
#[allow(dead_code, reason = "as in the runtime")]
pub(crate) struct Holders {
    pub(crate) processes: Vec<Identity>,
    pub(crate) file: u64,
}

/// See the runtime's.
pub(crate) const NAMES: usize = 28;

/// See the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    Woke(Wake),
    #[allow(dead_code, reason = "as in the runtime")]
    Deadlock,
}

/// See the runtime's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    #[allow(dead_code, reason = "as in the runtime")]
    Wait,
    Send,
    Receive,
    Finish,
}

/// See the runtime's.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "as in the runtime")]
pub(crate) struct Site {
    pub(crate) operation: Operation,
    pub(crate) what: &'static str,
    pub(crate) place: &'static core::panic::Location<'static>,
}

impl From<Deadline> for Blocking {
    fn from(deadline: Deadline) -> Self {
        Self { deadline }
    }
}

impl Blocking {
    pub(crate) const fn new(deadline: Deadline, _site: Option<Site>) -> Self {
        Self { deadline }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_over()
    }

    #[allow(clippy::needless_pass_by_value, reason = "as in the runtime")]
    pub(crate) fn sleep(
        &self,
        watch: Watch,
        word: &AtomicU32,
        expected: u32,
        whom: Whom<'_>,
    ) -> Slept {
        self.sleep_until(watch, &[(word, expected)], self.deadline, whom)
    }

    #[allow(clippy::needless_pass_by_value, reason = "as in the runtime")]
    pub(crate) fn sleep_until(
        &self,
        watch: Watch,
        words: &[(&AtomicU32, u32)],
        until: Deadline,
        _whom: Whom<'_>,
    ) -> Slept {
        Slept::Woke(watch.wait_words(words, self.deadline.min(until)))
    }
}
