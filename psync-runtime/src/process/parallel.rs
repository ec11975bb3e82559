//! What `parallel!` expands to: branches that start together, and end together.

use super::{
    Failure, Options, ParallelError, Process, ProcessError, StartMethod,
    call::{Call, Join},
    handle::Child,
    scope::JoinAll,
    wait_any::{self, Source},
};
use crate::{shm::world::Watch, sys::clock::Deadline};
use core::{cell::Cell, fmt, time::Duration};
use nix::libc;
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

/// One process of one branch, or why there is none.
#[doc(hidden)]
#[derive(Debug)]
pub struct Member<R> {
    branch: usize,
    index: Option<usize>,
    name: &'static str,
    process: Result<(Process<R>, Join<R>), ProcessError>,
}

impl<R> Member<R> {
    fn watched(&self) -> Watched {
        Watched {
            key: (self.branch, self.index),
            child: self.process.as_ref().ok().map(|(process, _)| Arc::clone(process.child())),
            verdict: None,
            order: 0,
        }
    }
}

impl<R> Member<R> {
    fn end(self, report: &mut Report) -> Option<R> {
        let (name, key) = (self.name, (self.branch, self.index));
        let verdict = report.verdict(key);
        let result =
            self.process.and_then(|(process, join)| join(process)).map_err(|error| match verdict {
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
#[derive(Debug)]
pub struct One<'a, R> {
    name: &'static str,
    call: Call<'a, R>,
}

/// A branch of one process per item. Its output is a vector in the items' order.
pub struct Each<I, F> {
    name: &'static str,
    items: I,
    call: F,
}

impl<I, F> fmt::Debug for Each<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A branch of one process.
pub const fn one<'a, R>(name: &'static str, call: Call<'a, R>) -> One<'a, R> {
    One { name, call }
}

/// A branch of one process per item.
pub const fn each<'a, I, F, R>(name: &'static str, items: I, call: F) -> Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
{
    Each { name, items, call }
}

/// One branch, or a tuple of branches.
pub trait Branches {
    /// What they return together.
    type Output;
    #[doc(hidden)]
    type Started: Started<Output = Self::Output>;
    #[doc(hidden)]
    fn start(self, starter: &Starter) -> Self::Started;
}

/// Branches whose processes run.
#[doc(hidden)]
pub trait Started {
    type Output;
    fn watch(&self, watched: &mut Vec<Watched>);
    /// All outputs, or `None` if any is missing; then the report says why.
    fn finish(self, report: &mut Report) -> Option<Self::Output>;
}

impl<R: 'static> Branches for One<'_, R> {
    type Output = R;
    type Started = Member<R>;

    fn start(self, starter: &Starter) -> Member<R> {
        starter.start(starter.next_branch(), None, self.name, || self.call)
    }
}

impl<'a, I, F, R> Branches for Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
    R: 'static,
{
    type Output = Vec<R>;
    type Started = Vec<Member<R>>;

    fn start(mut self, starter: &Starter) -> Vec<Member<R>> {
        let branch = starter.next_branch();
        let items = self.items.into_iter().enumerate();
        items
            .map(|(index, item)| {
                starter.start(branch, Some(index), self.name, || (self.call)(item))
            })
            .collect()
    }
}

impl<R> Started for Member<R> {
    type Output = R;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.push(self.watched());
    }

    fn finish(self, report: &mut Report) -> Option<R> {
        self.end(report)
    }
}

impl<R> Started for Vec<Member<R>> {
    type Output = Vec<R>;

    fn watch(&self, watched: &mut Vec<Watched>) {
        watched.extend(self.iter().map(Member::watched));
    }

    fn finish(self, report: &mut Report) -> Option<Vec<R>> {
        // Every member is asked, so that every failure is reported.
        let results: Vec<Option<R>> = self.into_iter().map(|member| member.end(report)).collect();
        results.into_iter().collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Branches),+> Branches for ($($name,)+) {
            type Output = ($($name::Output,)+);
            type Started = ($($name::Started,)+);

            #[allow(non_snake_case, reason = "variables named like their types")]
            fn start(self, starter: &Starter) -> Self::Started {
                let ($($name,)+) = self;
                ($($name.start(starter),)+)
            }
        }

        impl<$($name: Started),+> Started for ($($name,)+) {
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

/// Starts the branches, and waits until all of them have ended; also when starting one panics.
///
/// # Errors
/// If at least one branch failed; all of them have ended even so.
pub fn parallel<B: Branches>(settings: Settings, branches: B) -> Result<B::Output, ParallelError> {
    let deadline = settings.deadline.map_or(Deadline::NEVER, Deadline::after);
    let starter = Starter {
        settings,
        children: Mutex::default(),
        branches: Cell::new(0),
        broken: Cell::new(false),
    };
    let _all = JoinAll(&starter.children);
    let started = branches.start(&starter);
    let mut watched = Vec::new();
    started.watch(&mut watched);
    look_after(&mut watched, &settings, deadline, starter.broken.get());
    let mut report = Report { watched, failures: Vec::new() };
    started.finish(&mut report).ok_or_else(|| ParallelError::new(report.into_failures()))
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
        sleep(watched, watch, if ending { last_call } else { deadline });
    }
}

/// Until any process of the program ends. The ends of forked children are only seen by whoever asks for them.
fn sleep(watched: &[Watched], watch: Watch, until: Deadline) {
    let running = || {
        watched.iter().filter(|entry| entry.is_running()).filter_map(|entry| entry.child.as_ref())
    };
    if running().any(|child| child.is_fork()) {
        let sources: Vec<_> = running().map(|child| Source::Descriptor(child.as_fd())).collect();
        // A failure, such as too many descriptors, leaves it to the next look.
        let _ = wait_any::poll_until(&sources, until);
    } else {
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
