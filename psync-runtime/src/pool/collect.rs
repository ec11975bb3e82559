//! Taking in what the workers tell. Whoever waits for a task does it himself, if nobody does; else the keeper does.

use super::{
    batch::{Batch, Outcome, Parcel},
    books::Phase,
    desk::Ticket,
    error::{complain, read_fault},
    frame::{HEAD, Kind, Note},
    inner::Inner,
    signal::{Signal, lock},
};
use crate::{
    channel::{Arrived, Limit},
    primitive::Ordering,
    process::Fault,
    shm::world,
    sys::clock::Deadline,
};
use core::time::Duration;
use std::sync::{Arc, MutexGuard, TryLockError};

/// How often the workers are looked at although nobody has told of a death: whoever should tell may be dead.
pub(super) const GLANCE: Duration = Duration::from_secs(1);

std::thread_local! {
    /// Somewhere that no other thread has.
    static MARK: u8 = const { 0 };
}

/// What tells this thread from all others that live.
fn mark() -> usize {
    MARK.with(|place| core::ptr::from_ref(place).addr())
}

impl Inner {
    /// Waits until `done`, of which `signal` tells; false if the deadline comes first. Takes in what the workers tell meanwhile, unless another
    /// thread is at it, and leaves that to the keeper afterwards.
    pub(super) fn wait_until(
        &self,
        signal: &Signal,
        done: &dyn Fn() -> bool,
        deadline: Deadline,
    ) -> bool {
        if done() {
            return true;
        }
        let in_time = self.wait_for_a_while(signal, done, deadline);
        self.leave_to_keeper();
        in_time
    }

    /// If there is anything to be taken in, the keeper sees to it from here on.
    pub(super) fn leave_to_keeper(&self) {
        if self.outstanding.load(Ordering::SeqCst) > 0 {
            self.call_keeper();
        }
    }

    /// [`wait_until`](Self::wait_until) for somebody who comes back at once, or else calls the keeper.
    pub(super) fn wait_for_a_while(
        &self,
        signal: &Signal,
        done: &dyn Fn() -> bool,
        deadline: Deadline,
    ) -> bool {
        loop {
            if done() {
                return true;
            }
            if deadline.is_over() {
                return false;
            }
            let buffer = match self.role.try_lock() {
                Ok(buffer) => buffer,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // A result's `Deserialize` waits for the pool, and this very thread is decoding it: nobody else will collect.
                Err(TryLockError::WouldBlock)
                    if self.collector.load(Ordering::Relaxed) == mark() =>
                {
                    self.collect(&mut Vec::new(), done, deadline);
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    signal.wait(done, deadline);
                    continue;
                }
            };
            self.collect_with(buffer, done, deadline);
        }
    }

    /// Does so with the role in hand, and lays it down.
    pub(super) fn collect_with(
        &self,
        mut buffer: MutexGuard<'_, Vec<u8>>,
        done: &dyn Fn() -> bool,
        deadline: Deadline,
    ) {
        self.collector.store(mark(), Ordering::SeqCst);
        self.collect(&mut buffer, done, deadline);
        // Before another thread can have it and say so.
        self.collector.store(0, Ordering::SeqCst);
        drop(buffer);
    }

    fn collect(&self, buffer: &mut Vec<u8>, done: &dyn Fn() -> bool, deadline: Deadline) {
        let mut glance = Deadline::after(GLANCE);
        loop {
            self.drain(buffer, done);
            if self.has_news() || glance.is_over() {
                glance = Deadline::after(GLANCE);
                self.see_to_the_dead(buffer);
            }
            let clock = self.look_at_clocks();
            if done() || deadline.is_over() {
                return;
            }
            let ready = || self.post.results.len() > 0 || self.has_news() || done();
            self.post.results.wait(ready, deadline.min(clock).min(glance));
        }
    }

    /// Whether somebody has died since the workers were last looked at.
    pub(super) fn has_news(&self) -> bool {
        world::deaths() != self.deaths.load(Ordering::Relaxed)
    }

    /// Takes in what is there.
    pub(super) fn drain(&self, buffer: &mut Vec<u8>, done: &dyn Fn() -> bool) {
        let want = |_: &[u8; HEAD]| true;
        while let Ok(arrived) = self.post.results.receive(buffer, Limit::Try, want) {
            let (head, body) =
                buffer.split_first_chunk().map_or((None, &[][..]), |(h, b)| (Some(h), b));
            if let Some(note) = head.and_then(Note::from_bytes) {
                self.take_in(note, body, arrived);
            }
            if done() {
                return;
            }
        }
    }

    fn take_in(&self, note: Note, body: &[u8], arrived: Arrived) {
        match note.kind {
            Kind::Ready => lock(&self.crew).stillborn = 0,
            Kind::NotReady => {
                let reason = String::from_utf8_lossy(body);
                self.break_down(format!("the initializer of a worker failed: {reason}"));
            }
            Kind::Unreadable => self.break_down("the queue of tasks is damaged".to_owned()),
            Kind::Skipped => {
                let batch = lock(&self.books).take_out(&self.post.slots, note.ticket);
                // It was withdrawn, so it is told; but for one that was withdrawn to be sent again, which is no longer here.
                drop(batch);
                self.pump();
            }
            Kind::Results => {
                let span = note.index..note.index + note.count;
                self.take_results(note, Parcel::Records { buffer: body, span, pid: note.pid });
            }
            Kind::Returned => {
                let outcome = match arrived {
                    Arrived::Plain => Outcome::Returned(body, Vec::new(), note.pid),
                    Arrived::WithHandles(carried) => Outcome::Returned(body, carried, note.pid),
                    Arrived::Broken(reason) => {
                        complain("the result of a task", &reason);
                        Outcome::Faulted(Fault::Decode(reason), note.pid)
                    }
                };
                self.take_results(note, Parcel::One(note.index, outcome));
            }
            Kind::Fault => {
                let outcome = Outcome::Faulted(read_fault(body), note.pid);
                self.take_results(note, Parcel::One(note.index, outcome));
            }
        }
    }

    /// Hands results to whoever waits for them.
    fn take_results(&self, note: Note, parcel: Parcel<'_>) {
        self.settle(note.ticket, note.index + note.count, parcel, Some((note.nanos, note.ran)));
        if note.is_last {
            let batch = lock(&self.books).take_out(&self.post.slots, note.ticket);
            if let Some(batch) = batch {
                self.finish(batch);
            }
            self.pump();
        }
    }

    /// The tasks of a batch before `settled` have come out as the parcel says; what was known of it already is left out.
    pub(super) fn settle(
        &self,
        ticket: Ticket,
        settled: u32,
        parcel: Parcel<'_>,
        pace: Option<(u64, u32)>,
    ) {
        let (work, base, first) = {
            let mut books = lock(&self.books);
            let Some(batch) = books.get(ticket).filter(|batch| !batch.is_given_up) else { return };
            let first = batch.settled;
            batch.settled = first.max(settled.min(batch.count));
            (Arc::clone(&batch.work), batch.base, first)
        };
        if let Some((nanos, tasks)) = pace {
            work.note_pace(nanos, tasks);
        }
        if settled > first
            && let Some(parcel) = parcel.from(first)
        {
            work.settle(base, parcel, &self.counter());
        }
    }

    /// A batch of which no more will come: what is open of it goes back into the queue, or is over if it was stopped.
    pub(super) fn finish(&self, batch: Batch) {
        if batch.is_given_up {
            return;
        }
        if batch.open().is_empty() {
            self.note_over();
        } else if let Some(error) = batch.stopped.clone() {
            self.give_up([batch], &error);
        } else {
            self.put_back(batch.rest());
        }
    }

    /// Puts parts of what was one batch in front of everything else.
    pub(super) fn put_back(&self, parts: [Option<Batch>; 2]) {
        let mut books = lock(&self.books);
        if !books.phase.works() {
            let error = super::books::verdict(&books.phase);
            drop(books);
            let mut parts = parts.into_iter().flatten();
            if let Some(first) = parts.next() {
                self.give_up([first], &error);
            }
            for part in parts {
                self.outstanding.fetch_add(1, Ordering::SeqCst);
                self.give_up([part], &error);
            }
            return;
        }
        if parts.iter().all(Option::is_some) {
            self.outstanding.fetch_add(1, Ordering::SeqCst);
        }
        for part in parts.into_iter().flatten().rev() {
            books.backlog.push_front(part);
        }
        drop(books);
        self.pump();
    }

    /// The pool is broken.
    pub(super) fn break_down(&self, reason: String) {
        self.end(Phase::Broken(reason));
        lock(&self.crew).kill();
    }
}
