//! Looking after the processes of a `parallel!`: seeing failures, cancelling, and the deadline.

use super::{OnFailure, Settings};
use crate::{
    process::{
        Failure, ProcessError,
        handle::{self, Child},
        link::Glances,
        wait_any::{self, Source},
    },
    shm::world::{Blocking, Wake, Watch, Whom},
    sys::clock::Deadline,
};
use nix::libc;
use std::sync::Arc;

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
pub(super) enum Verdict {
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
    pub(super) const fn new(watched: Vec<Watched>) -> Self {
        Self { watched, failures: Vec::new() }
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    fn of(&self, key: (usize, Option<usize>)) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.key == key)
    }

    pub(super) fn verdict(&self, key: (usize, Option<usize>)) -> Option<Verdict> {
        self.of(key).and_then(|watched| watched.verdict)
    }

    /// The failures, in the order in which they were seen; what was cancelled because of them comes last.
    pub(super) fn into_failures(mut self) -> Vec<Failure> {
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

/// Waits for all, and ends them if one fails or the time is up.
pub(super) fn look_after(
    watched: &mut [Watched],
    settings: &Settings,
    blocking: &Blocking,
    broken: bool,
) {
    let deadline = blocking.deadline;
    let mut failed = usize::from(broken);
    let mut ending = false;
    let mut last_call = Deadline::NEVER;
    let mut glances = Glances::new();
    loop {
        let watch = Watch::new();
        handle::make_room();
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
            glances = Glances::new();
        }
        if last_call.is_over() {
            last_call = Deadline::NEVER;
            signal_running(watched, libc::SIGKILL, None);
            glances = Glances::new();
        }
        let until = if ending { last_call } else { deadline };
        // If the supervisor has died, nobody tells of what it would have told.
        let until = until.min(glances.next());
        // Who is about to end the others does not wait for ever.
        let unseen = Blocking::from(until);
        sleep(watched, watch, until, if ending { &unseen } else { blocking });
    }
}

/// Until any process of the program ends. The ends of forked children are only seen by whoever asks for them.
fn sleep(watched: &[Watched], watch: Watch, until: Deadline, blocking: &Blocking) {
    let running: Vec<&Child> = watched
        .iter()
        .filter(|entry| entry.is_running())
        .filter_map(|entry| entry.child.as_deref())
        .collect();
    let identities: Vec<_> = running.iter().map(|child| child.id).collect();
    let whom = Whom::Processes(&identities);
    if running.iter().any(|child| child.is_fork()) {
        let sources: Vec<_> =
            running.iter().map(|child| Source::Descriptor(child.as_fd())).collect();
        blocking.rest(until, whom, |until| match wait_any::poll_until(&sources, until) {
            Ok(ready) if ready.is_empty() => Wake::TimedOut,
            // A failure, such as too many descriptors, leaves it to the next look.
            _ => Wake::Look,
        });
    } else {
        blocking.sleep_until(watch, &[], until, whom);
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
    pub(super) const fn new(key: (usize, Option<usize>), child: Option<Arc<Child>>) -> Self {
        Self { key, child, verdict: None, order: 0 }
    }

    fn is_running(&self) -> bool {
        self.child.as_ref().is_some_and(|child| child.status().is_none())
    }
}
