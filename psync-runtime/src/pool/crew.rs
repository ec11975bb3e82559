//! The workers of a pool: starting, replacing and ending them.

use super::{
    desk::{State, Ticket},
    error::TaskError,
    inner::Inner,
    signal::lock,
    worker::Post,
};
use crate::{
    process::{Options, Process, SpawnError, StartMethod},
    sys::{clock, clock::Deadline},
};
use core::{fmt, time::Duration};

/// How long workers have between SIGTERM and SIGKILL when the pool is terminated.
const GRACE: Duration = Duration::from_secs(1);
/// So many workers that end one after the other, without reason and before they have begun, are a pool that does not work.
const STILLBORN: usize = 16;

/// Starts a worker's process; it knows the initialiser and its argument.
pub(super) type Start = Box<dyn Fn(Post, Options) -> Result<Process<()>, SpawnError> + Send + Sync>;

/// What is chosen for all workers.
pub(super) struct Terms {
    pub(super) workers: usize,
    pub(super) name: String,
    pub(super) start: Start,
    pub(super) has_initializer: bool,
    pub(super) method: Option<StartMethod>,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("workers", &self.workers)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A task that its worker was killed for.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) ticket: Ticket,
    pub(super) index: u32,
    pub(super) verdict: TaskError,
}

/// What is known of one seat.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) process: Option<Process<()>>,
    pub(super) ending: Option<Ending>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) members: Vec<Member>,
    /// How many have ended in a row before they had begun.
    pub(super) stillborn: usize,
    /// How many have ended in a row of their own accord, without having taken anything.
    pub(super) useless: usize,
    /// The last time that one had to be started, none could be.
    pub(super) is_short: bool,
    pub(super) started: u64,
    pub(super) lost: u64,
}

impl Crew {
    pub(super) fn new(workers: usize) -> Self {
        let members = (0..workers).map(|_| Member::default()).collect();
        Self { members, stillborn: 0, useless: 0, is_short: false, started: 0, lost: 0 }
    }

    pub(super) fn living(&self) -> impl Iterator<Item = &Process<()>> {
        self.members.iter().filter_map(|member| member.process.as_ref())
    }

    /// Ends all that still live, and waits for them.
    fn end(&mut self) {
        for process in self.living() {
            let _ = process.terminate();
        }
        let deadline = Deadline::after(GRACE);
        for process in self.living() {
            if process.wait_timeout(deadline.remaining().unwrap_or_default()).is_none() {
                let _ = process.kill();
            }
        }
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                process.wait();
            }
        }
    }

    pub(super) fn kill(&self) {
        for process in self.living() {
            let _ = process.kill();
        }
    }
}

impl Inner {
    /// Starts workers in all empty seats. The error of the first that could not be started.
    pub(super) fn fill_seats(&self, crew: &mut Crew) -> Result<(), SpawnError> {
        for seat in 0..self.terms.workers {
            if crew.members[seat].process.is_none() {
                self.start_worker(crew, seat)?;
            }
        }
        Ok(())
    }

    fn start_worker(&self, crew: &mut Crew, seat: usize) -> Result<(), SpawnError> {
        self.seat(seat).clear();
        let name = format!("{}-{}", self.terms.name, seat + 1);
        let mut options = Options::new().name(name);
        options.start_method = self.terms.method;
        let process = (self.terms.start)(Post { seat, ..self.post.clone() }, options)?;
        crew.members[seat].process = Some(process);
        crew.started += 1;
        Ok(())
    }

    /// Whether the pool cannot go on, after another worker has ended before it had begun.
    pub(super) fn is_hopeless(&self, crew: &mut Crew) -> bool {
        crew.stillborn += 1;
        crew.stillborn > STILLBORN.max(4 * self.terms.workers)
    }

    /// Whether the pool cannot go on, after a worker has ended that had begun: it went without a reason and had taken nothing, as many before it.
    pub(super) fn is_useless(&self, crew: &mut Crew, has_reason: bool) -> bool {
        crew.useless = if has_reason { 0 } else { crew.useless + 1 };
        crew.useless > STILLBORN.max(4 * self.terms.workers)
    }

    /// Ends all workers, and waits for that.
    pub(super) fn end_workers(&self) {
        lock(&self.crew).end();
    }

    /// Waits until all workers have ended, of which nothing more is expected.
    pub(super) fn await_workers(&self) {
        let processes: Vec<_> = lock(&self.crew)
            .members
            .iter_mut()
            .filter_map(|member| member.process.take())
            .collect();
        for process in processes {
            process.wait();
        }
    }

    /// Ends a task that runs, by killing its worker; if it still runs, and nothing else.
    pub(super) fn end_running(
        &self,
        crew: &mut Crew,
        seat: usize,
        ticket: Ticket,
        verdict: &TaskError,
        which: impl Fn(u32) -> bool,
    ) -> bool {
        let place = self.seat(seat);
        let Some(member) = crew.members.get_mut(seat).filter(|member| member.ending.is_none())
        else {
            return false;
        };
        let Some(process) = &member.process else { return false };
        place.shut_gate();
        let running = place.progress().running().filter(|index| which(*index));
        let Some(index) = running.filter(|_| place.ticket() == ticket) else {
            place.open_gate();
            return false;
        };
        member.ending = Some(Ending { ticket, index, verdict: verdict.clone() });
        // Nothing else can have begun, so it hits nobody else.
        process.kill().is_ok()
    }

    /// Ends what has run for too long. When to look again, if anything runs.
    pub(super) fn look_at_clocks(&self) -> Deadline {
        let Some(timeout) = self.terms.timeout else { return Deadline::NEVER };
        let limit =
            u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX).saturating_add(clock::tick());
        let mut next = limit;
        let mut crew = lock(&self.crew);
        for seat in 0..self.terms.workers {
            let place = self.seat(seat);
            let ticket = place.ticket();
            let Some(running) = place.progress().running() else { continue };
            let age = clock::coarse().saturating_sub(place.since());
            if !matches!(self.state(ticket), State::Taken(by) | State::Stopped(by) if by == seat) {
                continue;
            }
            if age < limit {
                next = next.min(limit - age);
            } else {
                let is_it = |index| index == running;
                self.end_running(&mut crew, seat, ticket, &TaskError::TimedOut, is_it);
            }
        }
        Deadline::after(Duration::from_nanos(next))
    }
}
