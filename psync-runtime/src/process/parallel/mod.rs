//! What `parallel!` expands to: branches that start together, and end together.

mod branches;
mod care;

pub use branches::{Branches, Each, One, each, one};
use branches::{Member, Started};
use care::{Report, look_after};

use super::{
    Options, ParallelError, Process, ProcessError, StartMethod,
    call::{Call, Join},
    handle::Child,
    scope::JoinAll,
};
use crate::{shm::world::Blocking, sys::clock::Deadline};
use core::{cell::Cell, time::Duration};
use std::sync::{Arc, Mutex, PoisonError};

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
pub struct Settings {
    /// When branches that still run are ended, counted from the start.
    pub deadline: Option<Duration>,
    /// How long they have between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// See [`OnFailure`].
    pub on_failure: OnFailure,
    /// How all processes are started that do not say so themselves.
    pub start_method: Option<StartMethod>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: None,
            grace: Duration::from_secs(2),
            on_failure: OnFailure::Cancel,
            start_method: None,
        }
    }
}

/// What starts the branches of one `parallel!`, one after the other.
#[doc(hidden)]
#[derive(Debug)]
pub struct Starter {
    settings: Settings,
    /// Everything that was started, to be waited for whatever happens.
    children: Mutex<Vec<Arc<Child>>>,
    branches: Cell<usize>,
    /// A branch could not be started, so the rest need not be.
    broken: Cell<bool>,
}

impl Starter {
    fn start<'a, R: 'static>(
        &self,
        branch: usize,
        index: Option<usize>,
        name: &'static str,
        call: impl FnOnce() -> Call<'a, R>,
    ) -> Member<R> {
        Member { branch, index, name, process: self.process(name, call) }
    }

    fn process<'a, R: 'static>(
        &self,
        name: &'static str,
        call: impl FnOnce() -> Call<'a, R>,
    ) -> Result<(Process<R>, Join<R>), ProcessError> {
        let name = name.to_owned();
        if self.broken.get() {
            return Err(ProcessError::Cancelled { name, pid: 0 });
        }
        let options = Options { start_method: self.settings.start_method, ..Options::new() };
        let call = call();
        let join = call.join;
        match call.spawn(options) {
            Ok(process) => {
                self.children
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Arc::clone(process.child()));
                Ok((process, join))
            }
            Err(error) => {
                self.broken.set(self.settings.on_failure == OnFailure::Cancel);
                Err(ProcessError::NotStarted { error, name })
            }
        }
    }

    fn next_branch(&self) -> usize {
        self.branches.replace(self.branches.get() + 1)
    }
}

/// Starts the branches, and waits until all of them have ended; also when starting one panics.
///
/// # Errors
/// If at least one branch failed; all of them have ended even so.
#[track_caller]
pub fn parallel<B: Branches>(settings: Settings, branches: B) -> Result<B::Output, ParallelError> {
    let deadline = settings.deadline.map_or(Deadline::NEVER, Deadline::after);
    let starter = Starter {
        settings,
        children: Mutex::default(),
        branches: Cell::new(0),
        broken: Cell::new(false),
    };
    let all = JoinAll::new(&starter.children, "parallel!");
    let started = branches.start(&starter);
    let mut watched = Vec::new();
    started.watch(&mut watched);
    let blocking = Blocking::new(deadline, Some(all.site));
    look_after(&mut watched, &settings, &blocking, starter.broken.get());
    drop(blocking);
    let mut report = Report::new(watched);
    started.finish(&mut report).ok_or_else(|| ParallelError::new(report.into_failures()))
}
