//! What becomes of the batch of a worker that has ended, and of its seat.

use super::{
    batch::{Outcome, Parcel},
    collect::GLANCE,
    crew::Ending,
    desk::{State, Ticket},
    error::TaskError,
    inner::Inner,
    signal::lock,
};
use crate::{
    primitive::Ordering,
    process::{ExitStatus, Process, ProcessError},
    shm::world,
    sys::clock::Deadline,
};

/// So many workers may end while they take a batch, before it counts as what has ended them.
const STUMBLES: u32 = 3;

/// A worker that has ended.
struct Dead {
    seat: usize,
    pid: i32,
    status: ExitStatus,
    /// What its process has left, if that is no clean end.
    error: Option<ProcessError>,
    ending: Option<Ending>,
}

impl Inner {
    /// Looks for workers that have ended, sees to what they had, and replaces them.
    pub(super) fn see_to_the_dead(&self, buffer: &mut Vec<u8>) {
        let deaths = world::deaths();
        let dead = self.find_dead();
        // What they sent before they ended is there.
        if !dead.is_empty() {
            self.drain(buffer, &|| false);
        }
        let made_room = !dead.is_empty();
        for one in dead {
            self.bury(&one);
        }
        // What they had under way is so no more, and perhaps nothing else is whose end would make room.
        if made_room {
            self.pump();
        }
        self.replace();
        self.deaths.store(deaths, Ordering::Relaxed);
        self.staffed.notify();
    }

    /// Whether there is or may be anything to do.
    pub(super) fn needs_workers(&self) -> bool {
        let books = lock(&self.books);
        let is_idle = self.outstanding.load(Ordering::SeqCst) == 0;
        books.phase.works() && !(is_idle && books.are_complete())
    }

    /// Waits until `is_staffed`, as workers that have ended are replaced; not for long, since another thread may be at that, and held up.
    pub(super) fn await_staff(&self, is_staffed: &dyn Fn() -> bool) {
        self.wait_until(&self.staffed, is_staffed, Deadline::after(GLANCE));
    }

    fn find_dead(&self) -> Vec<Dead> {
        let mut crew = lock(&self.crew);
        let mut dead = Vec::new();
        for (seat, member) in crew.members.iter_mut().enumerate() {
            let ended = |process: &Process<()>| process.exit_status();
            let Some(status) = member.process.as_ref().and_then(ended) else { continue };
            let Some(process) = member.process.take() else { continue };
            let pid = process.pid();
            let error = process.join().err();
            dead.push(Dead { seat, pid, status, error, ending: member.ending.take() });
        }
        crew.lost += dead.iter().filter(|dead| dead.error.is_some()).count() as u64;
        dead
    }

    fn bury(&self, dead: &Dead) {
        let place = self.seat(dead.seat);
        let is_ready = place.is_ready();
        if !is_ready {
            let begun = lock(&self.books).phase.works();
            let reason = match &dead.error {
                Some(ProcessError::Decode { reason, .. }) => Some(format!(
                    "the argument of a worker's initializer could not be decoded: {reason}"
                )),
                Some(_) if self.terms.has_initializer && place.has_prepared() => Some(format!(
                    "the initializer of a worker failed: worker {} ended while it ran: {}",
                    dead.pid, dead.status
                )),
                Some(_) if self.is_hopeless(&mut lock(&self.crew)) => Some(format!(
                    "the workers end before they begin, the last with {}",
                    dead.status
                )),
                _ => None,
            };
            if let (true, Some(reason)) = (begun, reason) {
                self.break_down(reason);
            }
        }
        let ticket = place.ticket();
        if is_ready {
            let has_taken = place.tasks() > 0 || ticket.slot().is_some();
            let has_reason = dead.error.is_some() || has_taken || !self.needs_workers();
            if self.is_useless(&mut lock(&self.crew), has_reason) {
                self.break_down("the workers end before they take anything".to_owned());
            }
        }
        match self.state(ticket) {
            State::Queued => self.withdraw_for(dead, ticket),
            State::Taken(seat) | State::Stopped(seat) if seat == dead.seat => {
                self.recover(dead, ticket);
            }
            State::Withdrawn => {
                let batch = lock(&self.books).take_out(&self.post.slots, ticket);
                // Not under the lock: code of the user's may run.
                drop(batch);
            }
            _ => {}
        }
    }

    /// It had the batch in view: the message may be gone or not, so that it goes again, under another ticket.
    fn withdraw_for(&self, dead: &Dead, ticket: Ticket) {
        if !self.slot(ticket).is_some_and(|slot| slot.withdraw(ticket)) {
            return;
        }
        let batch = lock(&self.books).take_out(&self.post.slots, ticket);
        let Some(mut batch) = batch.filter(|batch| !batch.is_given_up) else { return };
        batch.stumbles += 1;
        if batch.stumbles > STUMBLES {
            self.give_up([batch], &dead.loss());
        } else {
            self.put_back([Some(batch), None]);
        }
    }

    /// It worked on the batch.
    fn recover(&self, dead: &Dead, ticket: Ticket) {
        let place = self.seat(dead.seat);
        let progress = place.progress();
        let (buffer, span) = (place.results(), 0..progress.finished);
        let parcel = Parcel::Records { buffer, span, pid: dead.pid };
        self.settle(ticket, progress.finished, parcel, None);
        let ending = dead.ending.as_ref().filter(|ending| ending.ticket == ticket);
        // Behind a task that it was killed for, the gate was shut: what has begun there has not run.
        let is_its = |index: u32| ending.is_none_or(|ending| ending.index == index);
        // A long result is sent before its task is committed.
        let is_told =
            |index| lock(&self.books).get(ticket).is_some_and(|batch| index < batch.settled);
        let running = progress.running().filter(|index| is_its(*index) && !is_told(*index));
        let Some(index) = running else {
            let batch = lock(&self.books).take_out(&self.post.slots, ticket);
            if let Some(batch) = batch {
                self.finish(batch);
            }
            return;
        };
        let error = ending.map_or_else(|| dead.loss(), |ending| ending.verdict.clone());
        let mut books = lock(&self.books);
        let Some(batch) = books.get(ticket) else { return };
        let tries = if index == 0 { batch.tries } else { 0 };
        let is_lost = matches!(error, TaskError::WorkerLost { .. });
        if is_lost && tries < self.terms.retries && !batch.is_given_up && batch.stopped.is_none() {
            let batch = books.take_out(&self.post.slots, ticket);
            books.retried += 1;
            drop(books);
            if let Some(mut batch) = batch {
                batch.tries = tries + 1;
                self.put_back(batch.rest());
            }
            return;
        }
        drop(books);
        self.settle(ticket, index + 1, Parcel::One(index, Outcome::Failed(error)), None);
        let batch = lock(&self.books).take_out(&self.post.slots, ticket);
        if let Some(mut batch) = batch {
            (batch.tries, batch.stumbles) = (0, 0);
            self.finish(batch);
        }
    }

    /// Starts workers in empty seats, as long as there is anything to do.
    fn replace(&self) {
        let mut crew = lock(&self.crew);
        // Under the lock, so that nobody is started behind the back of whoever ends the pool.
        if !self.needs_workers() {
            return;
        }
        let failed = self.fill_seats(&mut crew).err();
        crew.is_short = failed.is_some();
        let nobody = crew.living().next().is_none();
        let hopeless = nobody && failed.is_some() && self.is_hopeless(&mut crew);
        drop(crew);
        if let (true, Some(error)) = (hopeless, failed) {
            self.break_down(format!("no worker can be started: {error}"));
        }
    }
}

impl Dead {
    /// What it cost.
    fn loss(&self) -> TaskError {
        match &self.error {
            // Without unwinding a panic is the end of the process, which has left its words.
            Some(ProcessError::Panicked { message, location, backtrace, .. }) => {
                TaskError::Panicked {
                    message: message.clone(),
                    location: location.clone(),
                    backtrace: backtrace.clone(),
                    pid: self.pid,
                }
            }
            _ => TaskError::WorkerLost { pid: self.pid, cause: self.status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Pool, TaskError,
        desk::Ticket,
        frame::{Kind, Note},
    };

    /// Workers that find a queue they can do nothing with.
    #[test]
    fn workers_that_are_of_no_use_break_the_pool() {
        let pool = Pool::new(2).expect("a pool");
        assert_eq!(pool.run(|n: u32| n + 1, 1), Ok(2));
        // Behind its back, as if that were written there.
        pool.inner.post.tasks.close();
        while !matches!(pool.run(|n: u32| n + 1, 1), Err(TaskError::Initializer(_))) {
            std::thread::yield_now();
        }
        let stats = pool.stats();
        assert!(stats.started_workers < 100, "{stats:?}");
        assert!(pool.join().is_err());
    }

    #[test]
    fn a_damaged_queue_breaks_the_pool_at_once() {
        let pool = Pool::new(2).expect("a pool");
        let stuck = pool
            .submit(
                |()| -> () {
                    loop {
                        std::thread::park();
                    }
                },
                (),
            )
            .expect("open");
        let note = Note::about(Kind::Unreadable, Ticket::from_bits(0)).to_bytes();
        pool.inner.post.results.send([&note, &[]], &[]).expect("memory");
        let broken = TaskError::Initializer("the queue of tasks is damaged".to_owned());
        assert_eq!(stuck.wait(), Err(broken));
        assert_eq!(pool.stats().started_workers, 2);
    }
}
