//! One-time initialisation: a lock for whoever makes it, and a word that says that it is made.

use super::mutex::{Acquired, RawMutex, Refusal};
use crate::{
    primitive::{AtomicU32, Ordering},
    shm::world::Blocking,
    sys::fault,
};

const DONE: u32 = 1;

/// Something that is made once.
///
/// | `done` | `lock` | meaning | left by |
/// |---|---|---|---|
/// | 0 | free | not made | who wants to make it, and takes the lock |
/// | 0 | held | is being made | its maker (`DONE`, then releases; or just releases) |
/// | 0 | its owner died | not made | who takes the lock over, and makes it afresh |
/// | `DONE` | any | made, for ever | nobody |
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawOnce {
    lock: RawMutex,
    done: AtomicU32,
}

/// The turn to make it. Given up when dropped.
#[derive(Debug)]
pub(crate) struct Making<'a>(&'a RawOnce);

impl RawOnce {
    pub(crate) const fn new() -> Self {
        Self { lock: RawMutex::new(), done: AtomicU32::new(0) }
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire) == DONE
    }

    /// The turn to make it; `None` if it has been made. An error if waiting for it would never end.
    pub(crate) fn begin(&self, blocking: &Blocking) -> Result<Option<Making<'_>>, Refusal> {
        // Whatever a dead one has left, nobody has seen it.
        if self.lock.lock(blocking)? != Acquired::Clean {
            self.lock.adopt();
        }
        fault::point("once: has the turn");
        let making = Making(self);
        Ok((!self.is_done()).then_some(making))
    }
}

impl Making<'_> {
    /// It is made.
    pub(crate) fn finish(self) {
        fault::point("once: about to be done");
        self.0.done.store(DONE, Ordering::Release);
        fault::point("once: done");
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.lock.unlock();
    }
}
