//! The receiving side of a work queue: jobs that stay with the queue until they are done.

use super::{
    core::{Core, HANDS_AT, Lack, Limit, Needs, given},
    raw::{Bytes, HANDS, HANDS_PER_PAGE, Hand, Popped, Role, Work},
};
use crate::{
    primitive::Ordering,
    shm::world::{self, Identity},
    sync::{DeadlockReport, raw},
    sys::{OsError, fault, memory},
};
use std::sync::Arc;

/// Where the bytes of jobs in hands lie in the file, and how much each has.
const BYTES: u64 = 1 << 55;
const EACH: u64 = 1 << 43;
/// As much of a place stays reserved.
const KEPT: u64 = 4096;

/// A work queue as one process has it.
#[derive(Clone, Debug)]
pub(super) struct Jobs {
    core: Arc<Core>,
}

/// A job that was taken: where it is, and what it is.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) index: usize,
    pub(super) attempt: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) note: bool,
}

/// What a look for a job inside the consumers' side gave.
enum Look {
    Got(Taken),
    /// One that was tried often enough.
    Spent(Taken),
    Nothing,
    Failed(Lack),
}

impl Jobs {
    pub(super) const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    fn hands(&self) -> &[Hand; HANDS] {
        self.core.hands()
    }

    fn work(&self) -> &Work {
        &self.core.head().work
    }

    /// Receives a job. What was tried often enough goes to `spent`.
    #[track_caller]
    pub(super) fn receive(
        &self,
        needs: Needs,
        limit: Limit,
        mut spent: impl FnMut(Taken),
    ) -> Result<Taken, Lack> {
        let mut certain = false;
        loop {
            match self.look(limit, certain) {
                Look::Got(taken) => return Ok(taken),
                Look::Spent(taken) => {
                    let index = taken.index;
                    spent(taken);
                    self.finish(index);
                    continue;
                }
                Look::Failed(lack) => return Err(lack),
                Look::Nothing => {}
            }
            let head = self.core.head();
            let me = world::me().id;
            let is_over = || {
                head.is_closed()
                    && head.len() == 0
                    && self.work().in_hands(self.hands(), head.received(), me) == 0
            };
            if is_over() {
                return Err(Lack::Closed);
            }
            let is_there = || self.is_there(raw::is_dead) || is_over();
            certain = self.core.await_item(is_there, needs, limit)?;
        }
    }

    /// Whether there is a job for a receiver.
    fn is_there(&self, is_dead: impl Fn(Identity) -> bool) -> bool {
        let head = self.core.head();
        head.len() > 0 && self.work().find_free(self.hands()).is_some()
            || self.work().find_again(self.hands(), head.received(), is_dead, 0).is_some()
    }

    /// Whether a receive would end at once.
    pub(super) fn is_ready(&self) -> bool {
        self.is_there(raw::is_dead)
    }

    fn look(&self, limit: Limit, certain: bool) -> Look {
        let Some(_door) = self.core.enter(Role::Receiver, limit) else {
            return Look::Failed(Lack::Empty);
        };
        let (head, work, me) = (self.core.head(), self.work(), world::me().id);
        let is_dead = if certain { raw::is_gone } else { raw::is_dead };
        work.sweep(self.hands(), head.received(), is_dead, |index| self.release(index));
        if let Some(index) = work.find_again(self.hands(), head.received(), is_dead, 0) {
            return self.take_again(index, me);
        }
        let Some(index) = work.find_free(self.hands()) else { return Look::Nothing };
        if let Err(error) = self.prepare(index) {
            return Look::Failed(Lack::System(error));
        }
        let number = head.received();
        let hand = &self.hands()[index];
        let mut taken = None;
        let take = |bytes: Bytes<'_>, note: bool| {
            let bytes = match bytes {
                Bytes::Log(bytes) => bytes.to_vec(),
                Bytes::Extent(place, len) => self.core.read(place, len)?,
            };
            memory::write_at(self.core.segment(), place_of(index), &bytes)?;
            hand.fill(me, number, bytes.len() as u64, note);
            taken = Some(Taken { index, attempt: 1, bytes, note });
            Ok(())
        };
        let mut reason = None;
        match self.core.pop_inside(take, &mut reason) {
            Popped::Got => taken.map_or(Look::Nothing, Look::Got),
            Popped::Empty => Look::Nothing,
            Popped::Damaged => Look::Failed(Lack::Damaged),
            Popped::Refused => Look::Failed(Lack::System(given(reason))),
        }
    }

    /// A job that somebody else did not finish.
    fn take_again(&self, index: usize, me: Identity) -> Look {
        let hand = &self.hands()[index];
        let bytes = match self.core.read(place_of(index), hand.len()) {
            Ok(bytes) => bytes,
            Err(error) => return Look::Failed(Lack::System(error)),
        };
        let tried = hand.attempt();
        hand.take_over(me);
        let taken = Taken { index, attempt: hand.attempt(), bytes, note: hand.has_note() };
        if self.most_attempts().is_some_and(|most| tried >= most) {
            Look::Spent(taken)
        } else {
            Look::Got(taken)
        }
    }

    fn most_attempts(&self) -> Option<u32> {
        Some(self.work().most_attempts.load(Ordering::Relaxed)).filter(|&most| most != 0)
    }

    /// Gives to `spent` what was tried often enough and is in nobody's hands: there may be no receiver who would meet it.
    pub(super) fn bury(&self, spent: impl Fn(Taken)) {
        while let Some(taken) = self.take_spent() {
            let index = taken.index;
            spent(taken);
            self.finish(index);
        }
    }

    fn take_spent(&self) -> Option<Taken> {
        let most = self.most_attempts()?;
        let _door = self.core.enter(Role::Receiver, Limit::FOREVER)?;
        let received = self.core.head().received();
        let index = self.work().find_again(self.hands(), received, raw::is_dead, most)?;
        match self.take_again(index, world::me().id) {
            Look::Spent(taken) => Some(taken),
            _ => None,
        }
    }

    /// Makes a hand usable.
    #[allow(clippy::cast_possible_truncation, reason = "hands are few")]
    fn prepare(&self, index: usize) -> Result<(), OsError> {
        let (work, page) = (self.work(), (index / HANDS_PER_PAGE) as u32);
        if work.pages.load(Ordering::Relaxed) <= page {
            let at = HANDS_AT as u64 + u64::from(page) * 4096;
            memory::reserve(self.core.segment(), at, 4096)?;
            work.pages.store(page + 1, Ordering::Relaxed);
        }
        work.note_use(index);
        Ok(())
    }

    /// The job is done.
    pub(super) fn finish(&self, index: usize) {
        let hand = &self.hands()[index];
        if hand.len() > KEPT {
            // First done, then without its bytes: who is killed in between leaves no job that is only half there.
            hand.done();
            self.release(index);
        }
        hand.free();
        self.announce();
    }

    /// Gives back the memory of a job that is done.
    fn release(&self, index: usize) {
        let len = self.hands()[index].len().next_multiple_of(KEPT);
        if len > KEPT {
            // If the system does not take it, it stays ours.
            let len = len.min(EACH) - KEPT;
            let _ = memory::punch(self.core.segment(), place_of(index) + KEPT, len);
            fault::point("work: memory of a job given back");
        }
    }

    /// The job is to be had again.
    pub(super) fn give_up(&self, index: usize) {
        self.hands()[index].give_up();
        self.core.head().items.ring(1);
    }

    fn announce(&self) {
        let head = self.core.head();
        self.work().done.ring(u32::MAX);
        if head.is_closed() || head.len() > 0 {
            head.items.ring(u32::MAX);
        }
    }

    /// How many jobs are not done.
    pub(super) fn unfinished(&self) -> usize {
        let _door = self.core.enter(Role::Receiver, Limit::FOREVER);
        let head = self.core.head();
        let in_hands = self.work().in_hands(self.hands(), head.received(), Identity::NOBODY);
        usize::try_from(head.len()).unwrap_or(usize::MAX).saturating_add(in_hands)
    }

    /// Waits until all jobs are done; false if the time is up first. What was tried often enough goes to `spent`.
    #[track_caller]
    pub(super) fn join(
        &self,
        needs: Needs,
        limit: Limit,
        spent: impl Fn(Taken),
    ) -> Result<bool, DeadlockReport> {
        let is_done = || {
            self.bury(&spent);
            self.unfinished() == 0
        };
        self.core.await_jobs(is_done, needs, limit)
    }
}

fn place_of(index: usize) -> u64 {
    BYTES + index as u64 * EACH
}
