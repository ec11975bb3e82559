//! A pool as its handles and its threads share it: what is submitted, taken back, and closed.

use super::{
    batch::{Batch, Parcel, Work, WorkId},
    books::{Books, Phase, verdict},
    callbacks::Callbacks,
    crew::{Crew, Terms},
    desk::{Seat, Slot, State, Ticket},
    error::{SubmitError, TaskError},
    signal::{Signal, lock},
    worker::Post,
};
use crate::{
    channel::Wire,
    primitive::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    shm::{Shared, world},
};
use core::ops::Range;
use std::sync::{Arc, Mutex};

/// See the module. Locks are taken in the order `role`, `crew`, `books`, and none is held while code of the user's runs but `role`.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) terms: Terms,
    /// The process that may use it; another one has it only as a copy of that one's memory.
    owner: i32,
    pub(super) post: Post,
    pub(super) books: Mutex<Books>,
    pub(super) crew: Mutex<Crew>,
    /// Whoever has it takes in what the workers tell; its buffer.
    pub(super) role: Mutex<Vec<u8>>,
    /// The thread that has the role, by its mark; 0 for none.
    pub(super) collector: AtomicUsize,
    /// How many batches are not over.
    pub(super) outstanding: AtomicUsize,
    /// The deaths that were seen to.
    pub(super) deaths: AtomicU32,
    /// Told when those that have ended were seen to.
    pub(super) staffed: Signal,
    /// What the keeper sleeps on.
    pub(super) call: AtomicU32,
    pub(super) is_over: AtomicBool,
    /// Told when nothing is outstanding any more.
    pub(super) idle: Signal,
    pub(super) callbacks: Callbacks,
    /// The number of the next task.
    next_task: AtomicU64,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Nobody has taken it.
    Waiting,
    Running,
    Over,
}

/// How far a work is called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// What nobody has taken yet, of a work that is one batch.
    Waiting,
    /// That, and what has not begun of what was taken.
    NotBegun,
    /// All of it: workers that run it are killed.
    Running,
}

impl Inner {
    pub(super) fn new(
        terms: Terms,
        limits: (Option<u64>, Option<u64>),
    ) -> crate::Result<Arc<Self>> {
        let (tasks, results) = (Wire::new()?, Wire::new()?);
        let slots = Shared::<[Slot]>::zeroed(Books::slots(terms.workers))?;
        let seats = Shared::<[Seat]>::zeroed(terms.workers)?;
        let (limit, memory) = limits;
        let (workers, is_timed) = (terms.workers, terms.timeout.is_some());
        Ok(Arc::new(Self {
            terms,
            owner: world::me().pid,
            post: Post { tasks, results, slots, seats, seat: 0, limit, memory, is_timed },
            books: Mutex::new(Books::new(workers)),
            crew: Mutex::new(Crew::new(workers)),
            role: Mutex::default(),
            collector: AtomicUsize::new(0),
            outstanding: AtomicUsize::new(0),
            deaths: AtomicU32::new(world::deaths()),
            staffed: Signal::default(),
            call: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            idle: Signal::default(),
            callbacks: Callbacks::default(),
            next_task: AtomicU64::new(0),
        }))
    }

    pub(super) fn next_task(&self) -> u64 {
        self.next_task.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.owner == world::me().pid
    }

    pub(super) fn seat(&self, seat: usize) -> &Seat {
        &self.post.seats[seat]
    }

    pub(super) fn slot(&self, ticket: Ticket) -> Option<&Slot> {
        self.post.slots.get(ticket.slot()?)
    }

    pub(super) fn state(&self, ticket: Ticket) -> State {
        self.slot(ticket).map_or(State::Free, |slot| slot.state(ticket))
    }

    /// Takes a batch on.
    pub(super) fn submit(&self, batch: Batch) -> Result<(), SubmitError> {
        self.take_on(batch, false)
    }

    /// The same for one of a map, which may have begun before the pool was closed.
    pub(super) fn take_on(&self, batch: Batch, has_begun: bool) -> Result<(), SubmitError> {
        if !self.is_ours() {
            return Err(SubmitError::Closed);
        }
        let mut books = lock(&self.books);
        if let Some(refusal) = books.phase.refusal()
            && !(has_begun && books.phase == Phase::Closing)
        {
            return Err(refusal);
        }
        self.outstanding.fetch_add(1, Ordering::SeqCst);
        if !books.backlog.is_empty() || !books.has_room() {
            books.backlog.push_back(batch);
            return Ok(());
        }
        match self.send(&mut books, batch) {
            Ok(()) => Ok(()),
            // What is under way makes room when it is over.
            Err((batch, _)) if books.under_way() > 0 => {
                books.backlog.push_back(batch);
                Ok(())
            }
            Err((_, reason)) => {
                self.outstanding.fetch_sub(1, Ordering::SeqCst);
                Err(SubmitError::System(reason))
            }
        }
    }

    /// Sends a batch. It comes back if there is no memory for its message.
    #[allow(clippy::result_large_err, reason = "it goes straight back into the backlog")]
    fn send(&self, books: &mut Books, batch: Batch) -> Result<(), (Batch, String)> {
        let Some((ticket, batch)) = books.place(&self.post.slots, batch) else { return Ok(()) };
        let head = batch.order(ticket).to_bytes();
        match self.post.tasks.send([&head, batch.body()], batch.carried()) {
            Ok(()) => Ok(()),
            Err(reason) => match books.take_out(&self.post.slots, ticket) {
                Some(batch) => Err((batch, reason)),
                None => Ok(()),
            },
        }
    }

    /// Sends what there is room for.
    pub(super) fn pump(&self) {
        let mut hopeless = None;
        {
            let mut books = lock(&self.books);
            while books.has_room()
                && let Some(batch) = books.backlog.pop_front()
            {
                let Err((batch, reason)) = self.send(&mut books, batch) else { continue };
                if books.under_way() > 0 {
                    books.backlog.push_front(batch);
                } else {
                    hopeless = Some((batch, reason));
                }
                break;
            }
        }
        if let Some((batch, reason)) = hopeless {
            let error = SubmitError::System(reason).into();
            self.give_up([batch], &error);
        }
    }

    /// These batches have no place any more, and their open tasks no result.
    pub(super) fn give_up(&self, batches: impl IntoIterator<Item = Batch>, error: &TaskError) {
        for batch in batches.into_iter().filter(|batch| !batch.is_given_up) {
            self.fail(Arc::clone(&batch.work), batch.base, batch.open(), error);
        }
        self.post.results.nudge();
    }

    /// The last open tasks of a batch have failed.
    fn fail(&self, work: Arc<dyn Work>, base: u64, open: Range<u32>, error: &TaskError) {
        work.settle(base, Parcel::Failed(open, error.clone()), &self.counter());
        self.note_over();
    }

    /// What counts tasks that are over.
    pub(super) fn counter(&self) -> impl Fn(u64, u64) + '_ {
        |done, failed| lock(&self.books).count(done, failed)
    }

    /// A batch is over.
    pub(super) fn note_over(&self) {
        if self.outstanding.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.close_if_complete(&lock(&self.books));
            self.idle.notify();
        }
    }

    /// The workers end, if all is done and nothing more will come.
    fn close_if_complete(&self, books: &Books) {
        let is_idle = self.outstanding.load(Ordering::SeqCst) == 0;
        if is_idle && books.phase.works() && books.are_complete() {
            self.post.tasks.close();
        }
    }

    /// A map begins; false if it comes too late.
    pub(super) fn begin_feed(&self) -> bool {
        if !self.is_ours() {
            return false;
        }
        let mut books = lock(&self.books);
        let is_in_time = books.phase == Phase::Open;
        books.feeds += usize::from(is_in_time);
        is_in_time
    }

    /// A map that has begun brings nothing more.
    pub(super) fn end_feed(&self) {
        if self.is_ours() {
            let mut books = lock(&self.books);
            books.feeds -= 1;
            self.close_if_complete(&books);
        }
    }

    /// Calls a work off as far as `reach` says. Each of its tasks that is over by that gets the error.
    pub(super) fn call_off(&self, work: WorkId, error: &TaskError, reach: Reach) {
        let is_it = |batch: &Batch| WorkId::of(&batch.work) == work;
        let mut crew = lock(&self.crew);
        let mut books = lock(&self.books);
        let over = books.take_from_backlog(is_it, reach == Reach::Waiting);
        let (mut told, mut taken) = (Vec::new(), Vec::new());
        for (ticket, batch) in books.all_sent().filter(|(_, batch)| is_it(batch)) {
            let Some(slot) = self.slot(ticket).filter(|_| !batch.is_given_up) else { continue };
            if slot.withdraw(ticket) {
                batch.is_given_up = true;
                told.push((Arc::clone(&batch.work), batch.base, batch.open()));
                continue;
            }
            let seat = match slot.state(ticket) {
                State::Taken(seat) if reach != Reach::Waiting && slot.stop(ticket, seat) => seat,
                // It was called off before, but for what runs.
                State::Stopped(seat) if reach == Reach::Running => seat,
                _ => continue,
            };
            batch.stopped.get_or_insert_with(|| error.clone());
            taken.push((seat, ticket));
        }
        drop(books);
        if reach == Reach::Running {
            for (seat, ticket) in taken {
                self.end_running(&mut crew, seat, ticket, error, |_| true);
            }
        }
        drop(crew);
        self.give_up(over, error);
        for (work, base, open) in told {
            self.fail(work, base, open, error);
        }
        self.post.results.nudge();
    }

    /// Where the only task of a work is.
    pub(super) fn whereabouts(&self, work: WorkId) -> Whereabouts {
        let mut books = lock(&self.books);
        if books.backlog.iter().any(|batch| WorkId::of(&batch.work) == work) {
            return Whereabouts::Waiting;
        }
        let mut sent = books.all_sent();
        match sent.find(|(_, batch)| WorkId::of(&batch.work) == work && !batch.is_given_up) {
            Some((ticket, _)) => match self.state(ticket) {
                State::Taken(_) | State::Stopped(_) => Whereabouts::Running,
                _ => Whereabouts::Waiting,
            },
            None => Whereabouts::Over,
        }
    }

    /// No more tasks are taken, or none but those of maps that have begun; the workers end once all are done.
    pub(super) fn close(&self, phase: Phase) {
        let mut books = lock(&self.books);
        if matches!(books.phase, Phase::Open | Phase::Closing) {
            books.phase = phase;
        }
        if self.is_ours() {
            self.close_if_complete(&books);
        }
    }

    /// Nothing is done any more, and whoever waits is told.
    pub(super) fn end(&self, phase: Phase) {
        let error = verdict(&phase);
        let batches = {
            let mut books = lock(&self.books);
            if !books.phase.works() {
                return;
            }
            books.give_up_all(phase)
        };
        self.give_up(batches, &error);
    }
}
