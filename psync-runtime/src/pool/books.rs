//! Which batches there are, where each of them is, and which goes next.

use super::{
    batch::Batch,
    desk::{Slot, Ticket},
    error::{SubmitError, TaskError},
};
use std::collections::VecDeque;

/// How many batches are with the workers or on their way to them at most: enough that none waits for the next one, few enough that most that wait can be
/// taken back with a look at this process's memory.
pub(super) const WINDOW: usize = 256;
/// From so many bytes of arguments under way on, no more batches than there are workers are.
const BYTES: usize = 64 << 20;

/// Whether a pool takes tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No more come but those of maps that have begun; all that came are done.
    Closing,
    /// No more come at all; those that came are done.
    Leaving,
    /// Nothing is done any more.
    Ended,
    /// The same, since an initialiser failed.
    Broken(String),
}

impl Phase {
    /// Why nothing is taken.
    pub(super) fn refusal(&self) -> Option<SubmitError> {
        match self {
            Self::Open => None,
            Self::Closing | Self::Leaving | Self::Ended => Some(SubmitError::Closed),
            Self::Broken(reason) => Some(SubmitError::Initializer(reason.clone())),
        }
    }

    /// Whether what was taken is still worked on.
    pub(super) const fn works(&self) -> bool {
        matches!(self, Self::Open | Self::Closing | Self::Leaving)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) phase: Phase,
    /// What was sent, by slot.
    sent: Vec<Option<Batch>>,
    epochs: Vec<u32>,
    free: Vec<usize>,
    bytes: usize,
    workers: usize,
    /// How many maps have begun, and may bring more.
    pub(super) feeds: usize,
    /// What waits for a free slot.
    pub(super) backlog: VecDeque<Batch>,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
}

impl Books {
    pub(super) fn new(workers: usize) -> Self {
        let slots = Self::slots(workers);
        Self {
            phase: Phase::Open,
            sent: (0..slots).map(|_| None).collect(),
            epochs: vec![0; slots],
            free: (0..slots).rev().collect(),
            bytes: 0,
            workers,
            feeds: 0,
            backlog: VecDeque::new(),
            done: 0,
            failed: 0,
            retried: 0,
        }
    }

    /// Whether nothing more will come.
    pub(super) fn are_complete(&self) -> bool {
        match self.phase {
            Phase::Open => false,
            Phase::Closing => self.feeds == 0,
            Phase::Leaving | Phase::Ended | Phase::Broken(_) => true,
        }
    }

    /// How many slots a pool with so many workers has.
    pub(super) fn slots(workers: usize) -> usize {
        WINDOW.max(2 * workers)
    }

    /// How many slots are in use.
    pub(super) fn under_way(&self) -> usize {
        self.sent.len() - self.free.len()
    }

    /// Whether another batch may be sent.
    pub(super) fn has_room(&self) -> bool {
        !self.free.is_empty() && (self.bytes < BYTES || self.under_way() <= self.workers)
    }

    /// Takes a slot for a batch that is about to be sent.
    pub(super) fn place(&mut self, slots: &[Slot], batch: Batch) -> Option<(Ticket, &Batch)> {
        let index = self.free.pop()?;
        self.epochs[index] = self.epochs[index].wrapping_add(1);
        slots.get(index)?.queue(self.epochs[index]);
        self.bytes += batch.len();
        let ticket = Ticket::new(index, self.epochs[index]);
        Some((ticket, self.sent[index].insert(batch)))
    }

    /// The batch with this ticket, if it is still under way.
    pub(super) fn get(&mut self, ticket: Ticket) -> Option<&mut Batch> {
        let index = self.index(ticket)?;
        self.sent[index].as_mut()
    }

    fn index(&self, ticket: Ticket) -> Option<usize> {
        let index = ticket.slot()?;
        (self.epochs.get(index) == Some(&ticket.epoch())).then_some(index)
    }

    /// Takes a batch out, and its slot back. Nobody works on it any more.
    pub(super) fn take_out(&mut self, slots: &[Slot], ticket: Ticket) -> Option<Batch> {
        let index = self.index(ticket)?;
        let batch = self.sent[index].take()?;
        if let Some(slot) = slots.get(index) {
            slot.free(ticket.epoch());
        }
        self.bytes -= batch.len();
        self.free.push(index);
        Some(batch)
    }

    /// All that are under way, with their tickets.
    pub(super) fn all_sent(&mut self) -> impl Iterator<Item = (Ticket, &mut Batch)> {
        let epochs = &self.epochs;
        let batches = self.sent.iter_mut().enumerate();
        batches
            .filter_map(|(index, batch)| Some((Ticket::new(index, epochs[index]), batch.as_mut()?)))
    }

    /// Takes those that are meant out of the backlog; if there is one at most, without a look at those behind it, since many may be cancelled one
    /// by one.
    pub(super) fn take_from_backlog(
        &mut self,
        is_it: impl Fn(&Batch) -> bool,
        is_one: bool,
    ) -> Vec<Batch> {
        let Some(first) = self.backlog.iter().position(&is_it) else { return Vec::new() };
        if is_one {
            return self.backlog.remove(first).into_iter().collect();
        }
        let (taken, kept) = self.backlog.split_off(first).into_iter().partition::<Vec<_>, _>(is_it);
        self.backlog.extend(kept);
        taken
    }

    /// Gives all batches out of hand, for the end of the pool.
    pub(super) fn give_up_all(&mut self, phase: Phase) -> Vec<Batch> {
        self.phase = phase;
        self.bytes = 0;
        let mut all: Vec<Batch> = self.backlog.drain(..).collect();
        for (index, batch) in self.sent.iter_mut().enumerate() {
            if let Some(batch) = batch.take() {
                self.free.push(index);
                all.push(batch);
            }
        }
        all
    }

    pub(super) fn count(&mut self, done: u64, failed: u64) {
        self.done += done;
        self.failed += failed;
    }

    /// How many tasks nobody has begun with, as far as can be told without asking the workers.
    pub(super) fn waiting(&self) -> usize {
        self.backlog.iter().map(|batch| batch.count as usize).sum()
    }
}

/// What tasks that are given up get.
pub(super) fn verdict(phase: &Phase) -> TaskError {
    match phase {
        Phase::Broken(reason) => TaskError::Initializer(reason.clone()),
        _ => TaskError::Closed,
    }
}
