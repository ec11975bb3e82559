//! What records say of a wait: which it is, and whom it needs.

use super::{Identity, site::Operation};
use crate::shm::segment::Inode;

/// How many locks that it reads under a record can name.
pub(super) const READS: usize = 4;
/// How many processes that it waits for.
pub(crate) const NAMES: usize = 28;

/// A record at one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) index: u32,
    pub(crate) turn: u32,
}

impl Turn {
    pub(super) const fn bits(self) -> u64 {
        (self.index as u64 + 1) << 32 | self.turn as u64
    }

    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(super) const fn from_bits(bits: u64) -> Option<Self> {
        match bits {
            0 => None,
            _ => Some(Self { index: ((bits >> 32) - 1) as u32, turn: bits as u32 }),
        }
    }
}

/// Who could end a wait of which that is known: see [`Whom::Anyone`](super::Whom::Anyone).
#[derive(Clone, Debug)]
pub(crate) struct Holders {
    pub(crate) processes: Vec<Identity>,
    /// The queue: another process has a copy of the handles if it has this mapped.
    pub(crate) file: Inode,
}

/// A thread that waits without a deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    /// As of [`thread_key`].
    pub(super) thread: u64,
    pub(super) process: Identity,
    /// Whether its process ends with its function.
    pub(super) is_main: bool,
    pub(super) operation: Operation,
}

/// Whom a thread waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    pub(super) edge: Option<Turn>,
    pub(super) lock: u64,
    /// What it reads under itself.
    pub(super) reads: [u64; READS],
    pub(super) ends: Vec<Identity>,
    pub(super) check: Option<Check>,
}

/// What a record said of a wait that anybody may end.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// How often it has looked: even.
    pub(super) number: u32,
    pub(super) holders: Holders,
}

/// What [`Record::set_details`] adds, for a wait that lasts.
#[derive(Debug, Default)]
pub(super) struct Details<'a> {
    pub(super) lock: u64,
    pub(super) reads: &'a [u64],
    /// The processes for whose end it waits, or those who could end the wait.
    pub(super) names: &'a [Identity],
    pub(super) file: Option<Inode>,
}
