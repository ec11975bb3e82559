//! The receiving side of a queue, for waits on several things at once.

use super::{
    core::{Core, Limit, Needs},
    jobs::Jobs,
};
use crate::{primitive::AtomicU32, sys::clock::Deadline};
use core::time::Duration;

/// What a wait on several things has to know of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    core: &'a Core,
    needs: Needs,
    jobs: Option<&'a Jobs>,
    /// Whether the next receive has an error to say.
    has_error: bool,
}

impl<'a> Incoming<'a> {
    pub(super) const fn new(core: &'a Core, needs: Needs, has_error: bool) -> Self {
        Self { core, needs, jobs: None, has_error }
    }

    pub(super) const fn of_jobs(core: &'a Core, needs: Needs, jobs: &'a Jobs) -> Self {
        Self { core, needs, jobs: Some(jobs), has_error: false }
    }

    /// The word to sleep on, and what it is to be. Ask [`is_ready`](Self::is_ready) between this and the sleep.
    pub(crate) fn sleep_word(&self) -> (&'a AtomicU32, u32) {
        let bell = &self.core.head().items;
        (bell.word(), bell.ticket())
    }

    /// Whether a receive would end at once: with a message, or since there will be none.
    pub(crate) fn is_ready(&self) -> bool {
        // As a wait that has an end: one without could find that only this thread is left.
        let limit = Limit::Until(Deadline::after(Duration::from_secs(1)));
        let is_alone = self.core.is_alone(self.needs, limit, false);
        let has_item = self.jobs.map_or_else(|| self.core.head().len() > 0, Jobs::is_ready);
        has_item || self.has_error || self.core.head().is_closed() || is_alone
    }
}
