//! What `parallel!` expands to: branches that start together, and end together.

use super::{
    Failure, Options, ParallelError, Process, ProcessError, Scope, SpawnError, StartMethod,
    handle::Child, scope,
};
use crate::{shm::world::Watch, sys::clock::Deadline};
use core::{cell::Cell, fmt, time::Duration};
use nix::libc;
use serde::de::DeserializeOwned;
use std::sync::Arc;

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

/// Where the branches of one `parallel!` are started.
#[derive(Debug)]
pub struct Group<'scope, 'env: 'scope> {
    scope: &'scope Scope<'scope, 'env>,
    settings: Settings,
    branches: Cell<usize>,
    /// A branch could not be started, so the rest need not be.
    broken: Cell<bool>,
}

impl<'scope, 'env> Group<'scope, 'env> {
    /// The scope that the branches are started in.
    pub const fn scope(&self) -> &'scope Scope<'scope, 'env> {
        self.scope
    }

    /// Options for each branch's process.
    pub fn options(&self) -> Options {
        Options { start_method: self.settings.start_method, ..Options::new() }
    }

    fn begin<R>(
        &self,
        name: &'static str,
        start: impl FnOnce() -> Result<Process<R>, SpawnError>,
    ) -> Result<Process<R>, ProcessError> {
        let name = name.to_owned();
        if self.broken.get() {
            return Err(ProcessError::Cancelled { name, pid: 0 });
        }
        start().map_err(|error| {
            self.broken.set(self.settings.on_failure == OnFailure::Cancel);
            ProcessError::NotStarted { error, name }
        })
    }

    fn next_branch(&self) -> usize {
        self.branches.replace(self.branches.get() + 1)
    }

    /// A branch of one process.
    pub fn one<R>(
        &self,
        name: &'static str,
        start: impl FnOnce() -> Result<Process<R>, SpawnError>,
    ) -> One<R> {
        One(Member {
            branch: self.next_branch(),
            index: None,
            name,
            process: self.begin(name, start),
        })
    }

    /// A branch of one process per item.
    pub fn each<I: IntoIterator, R>(
        &self,
        name: &'static str,
        items: I,
        mut start: impl FnMut(I::Item) -> Result<Process<R>, SpawnError>,
    ) -> Each<R> {
        let branch = self.next_branch();
        let members = items.into_iter().enumerate().map(|(index, item)| Member {
            branch,
            index: Some(index),
            name,
            process: self.begin(name, || start(item)),
        });
        Each(members.collect())
    }
}

/// One process of one branch, or why there is none.
struct Member<R> {
    branch: usize,
    index: Option<usize>,
    name: &'static str,
    process: Result<Process<R>, ProcessError>,
}

impl<R> Member<R> {
    fn watched(&self) -> Watched {
        Watched {
            key: (self.branch, self.index),
            child: self.process.as_ref().ok().map(|process| Arc::clone(process.child())),
            verdict: None,
            order: 0,
        }
    }
}

impl<R: DeserializeOwned> Member<R> {
    fn finish(self, report: &mut Report) -> Option<R> {
        let (name, key) = (self.name, (self.branch, self.index));
        let verdict = report.verdict(key);
        let result = self.process.and_then(Process::join).map_err(|error| match verdict {
            Some(Verdict::Cancelled) if error.is_signal() => {
                ProcessError::Cancelled { name: error.name().to_owned(), pid: error.pid() }
            }
            Some(Verdict::TimedOut) if error.is_signal() => {
                ProcessError::TimedOut { name: error.name().to_owned(), pid: error.pid() }
            }
            _ => error,
        });
        match result {
            Ok(result) => Some(result),
            Err(error) => {
                report.failures.push(Failure {
                    branch: key.0,
                    index: key.1,
                    name: name.to_owned(),
                    error,
                });
                None
            }
        }
    }
}

impl ProcessError {
    const fn is_signal(&self) -> bool {
        matches!(self, Self::Signaled { .. } | Self::Lost { .. })
    }
}

/// A branch of one process. Its output is what the process returns.
pub struct One<R>(Member<R>);

/// A branch of one process per item. Its output is a vector in the items' order.
pub struct Each<R>(Vec<Member<R>>);

impl<R> fmt::Debug for One<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("One").field(&self.0.name).finish()
    }
}

impl<R> fmt::Debug for Each<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Each").field(&self.0.len()).finish()
    }
}

/// One branch, or a tuple of branches.
pub trait Branches {
    /// What they return together.
    type Output;
    #[doc(hidden)]
    fn watch(&self, watched: &mut Vec<Watched>);
    /// All outputs, or `None` if any is missing; then the report says why.
    #[doc(hidden)]
    fn finish(self, report: &mut Report) -> Option<Self::Output>;
}

impl<R: DeserializeOwned> Branches for One<R> {
    type Output = R;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.push(self.0.watched());
    }

    fn finish(self, report: &mut Report) -> Option<R> {
        self.0.finish(report)
    }
}

impl<R: DeserializeOwned> Branches for Each<R> {
    type Output = Vec<R>;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.extend(self.0.iter().map(Member::watched));
    }

    fn finish(self, report: &mut Report) -> Option<Vec<R>> {
        // Every member is asked, so that every failure is reported.
        let results: Vec<Option<R>> =
            self.0.into_iter().map(|member| member.finish(report)).collect();
        results.into_iter().collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Branches),+> Branches for ($($name,)+) {
            type Output = ($($name::Output,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn watch(&self, watched: &mut Vec<Watched>) {
                let ($($name,)+) = self;
                $($name.watch(watched);)+
            }

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn finish(self, report: &mut Report) -> Option<Self::Output> {
                let ($($name,)+) = self;
                $(let $name = $name.finish(report);)+
                Some(($($name?,)+))
            }
        }
    )+};
}
tuples! {
    (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L) (A B C D E F G H I J K L M)
    (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O) (A B C D E F G H I J K L M N O P)
}

/// A process that is looked after.
#[doc(hidden)]
#[derive(Debug)]
pub struct Watched {
    key: (usize, Option<usize>),
    child: Option<Arc<Child>>,
    verdict: Option<Verdict>,
    /// When its failure was seen; 0 is "has not failed".
    order: usize,
}

/// What we did to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Cancelled,
    TimedOut,
}

/// What became of the processes.
#[doc(hidden)]
#[derive(Debug)]
pub struct Report {
    watched: Vec<Watched>,
    failures: Vec<Failure>,
}

impl Report {
    fn of(&self, key: (usize, Option<usize>)) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.key == key)
    }

    fn verdict(&self, key: (usize, Option<usize>)) -> Option<Verdict> {
        self.of(key).and_then(|watched| watched.verdict)
    }

    /// The failures, in the order in which they were seen; what was cancelled because of them comes last.
    fn into_failures(mut self) -> Vec<Failure> {
        let mut failures = core::mem::take(&mut self.failures);
        let never = usize::MAX;
        failures.sort_by_key(|failure| {
            let order =
                self.of((failure.branch, failure.index)).map_or(never, |watched| watched.order);
            (
                matches!(failure.error, ProcessError::Cancelled { .. }),
                if order == 0 { never } else { order },
            )
        });
        failures
    }
}

/// Starts the branches that `f` makes, and waits until all of them have ended.
///
/// # Errors
/// If at least one branch failed; all of them have ended even so.
#[doc(hidden)]
pub fn parallel<'env, F, B>(settings: Settings, f: F) -> Result<B::Output, ParallelError>
where
    F: for<'scope> FnOnce(&Group<'scope, 'env>) -> B,
    B: Branches,
{
    let deadline = settings.deadline.map_or(Deadline::NEVER, Deadline::after);
    scope(|scope| {
        let group = Group { scope, settings, branches: Cell::new(0), broken: Cell::new(false) };
        let branches = f(&group);
        let mut watched = Vec::new();
        branches.watch(&mut watched);
        look_after(&mut watched, &settings, deadline, group.broken.get());
        let mut report = Report { watched, failures: Vec::new() };
        match branches.finish(&mut report) {
            Some(output) => Ok(output),
            None => Err(ParallelError::new(report.into_failures())),
        }
    })
}

/// Waits for all, and ends them if one fails or the time is up.
fn look_after(watched: &mut [Watched], settings: &Settings, deadline: Deadline, broken: bool) {
    let mut failed = usize::from(broken);
    let mut ending = false;
    let mut last_call = Deadline::NEVER;
    loop {
        let watch = Watch::new();
        note_failures(watched, &mut failed);
        if !watched.iter().any(Watched::is_running) {
            return;
        }
        let late = deadline.is_over();
        if !ending && (late || failed > 0 && settings.on_failure == OnFailure::Cancel) {
            ending = true;
            last_call = Deadline::after(settings.grace);
            let verdict = if late { Verdict::TimedOut } else { Verdict::Cancelled };
            signal_running(watched, libc::SIGTERM, Some(verdict));
        }
        if last_call.is_over() {
            last_call = Deadline::NEVER;
            signal_running(watched, libc::SIGKILL, None);
        }
        let until = if ending { last_call } else { deadline };
        watch.wait_words(&[], until);
    }
}

/// Sees which have ended without a result since the last look.
fn note_failures(watched: &mut [Watched], failed: &mut usize) {
    for entry in watched.iter_mut().filter(|entry| entry.order == 0) {
        let ended = entry
            .child
            .as_ref()
            .is_some_and(|child| child.status().is_some() && !child.has_result());
        if ended {
            *failed += 1;
            entry.order = *failed;
        }
    }
}

fn signal_running(watched: &mut [Watched], signal: i32, verdict: Option<Verdict>) {
    for entry in watched.iter_mut().filter(|entry| entry.is_running()) {
        entry.verdict = verdict.or(entry.verdict);
        if let Some(child) = &entry.child {
            // One that changed its user and cannot be signalled is waited for.
            let _ = child.signal(signal);
        }
    }
}

impl Watched {
    fn is_running(&self) -> bool {
        self.child.as_ref().is_some_and(|child| child.status().is_none())
    }
}
