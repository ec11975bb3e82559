//! What `parallel!` expands to: branches that start together, and end together.

mod branches;
mod care;
mod gang;
mod group;
mod items;
mod progress;

use branches::Started;
pub use branches::{Branches, One, one};
use group::Group;
pub use items::{Each, each};
pub(crate) use progress::Bar;

use crate::{
    process::{ParallelError, StartMethod, scope::JoinAll},
    shm::world::Blocking,
    sys::clock::Deadline,
};
use core::time::Duration;

/// What happens to the other branches when one has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They get SIGTERM, and SIGKILL after the grace period.
    #[default]
    Cancel,
    /// They run to their end.
    Finish,
}

/// The options of a `parallel!`.
#[derive(Clone, Copy, Debug)]
#[must_use = "options do nothing by themselves"]
pub struct Settings {
    /// When branches that still run are ended, counted from the start.
    pub deadline: Option<Duration>,
    /// How long they have between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// See [`OnFailure`].
    pub on_failure: OnFailure,
    /// How all processes are started that do not say so themselves.
    pub start_method: Option<StartMethod>,
    /// How many workers the items of all `for` branches share; if it is not said, each item has a process of its own.
    pub workers: Option<usize>,
    /// How many items a worker takes at a time.
    pub chunk: usize,
    /// Whether a bar on standard error shows how many items and other branches are done.
    pub progress: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// One method for each option of the macro.
impl Settings {
    /// What holds if nothing is said.
    pub const fn new() -> Self {
        Self {
            deadline: None,
            grace: Duration::from_secs(2),
            on_failure: OnFailure::Cancel,
            start_method: None,
            workers: None,
            chunk: 1,
            progress: false,
        }
    }

    #[doc(hidden)]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    #[doc(hidden)]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    #[doc(hidden)]
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    #[doc(hidden)]
    pub fn start_method(self, method: StartMethod) -> Self {
        Self { start_method: Some(method), ..self }
    }

    #[doc(hidden)]
    pub fn workers(self, workers: usize) -> Self {
        Self { workers: Some(workers), ..self }
    }

    #[doc(hidden)]
    pub fn chunk(self, chunk: usize) -> Self {
        Self { chunk, ..self }
    }

    #[doc(hidden)]
    pub fn progress(self, progress: bool) -> Self {
        Self { progress, ..self }
    }

    /// Why no item of a `for` branch could ever be worked on.
    fn refuses_items(&self) -> Option<&'static str> {
        match (self.workers, self.chunk) {
            (Some(0), _) => Some("`workers` is 0, so nobody would work on the items"),
            (_, 0) => Some("`chunk` is 0, so no item would ever be taken"),
            _ => None,
        }
    }
}

/// Starts the branches, and waits until all of them have ended. When starting one panics, that is a failure like any other: the
/// rest is ended before the panic goes on.
///
/// # Errors
/// If at least one branch failed; all of them have ended even so.
#[track_caller]
pub fn parallel<B: Branches>(settings: Settings, branches: B) -> Result<B::Output, ParallelError> {
    let deadline = settings.deadline.map_or(Deadline::NEVER, Deadline::after);
    let group = Group::new(settings);
    let all = JoinAll::new(&group.children, "parallel!");
    // Before anything that was lent can be touched again, and also when the rest of this unwinds.
    let mut end = End { group: &group, has_ended: false };
    let mut started = branches.start(&group);
    let blocking = Blocking::new(deadline, Some(all.site));
    care::look_after(&mut started, &group, &blocking);
    end.has_ended = true;
    drop((blocking, end));
    started.finish(&group).ok_or_else(|| ParallelError::new(group.take_failures()))
}

/// Ends what still runs when it is dropped; all have ended already unless something has panicked.
struct End<'a> {
    group: &'a Group,
    has_ended: bool,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            care::give_up(self.group);
        }
        self.group.end_workers();
    }
}
