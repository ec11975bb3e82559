//! What the branches of one `parallel!` have in common: the processes that run, the workers, what was done to them, and the failures so far.

use super::{
    OnFailure, Settings,
    gang::{Gang, Landed, Landing, not_started},
    progress::Bar,
};
use crate::{
    pool::TaskError,
    process::{
        Failure, Options, Process, ProcessError, SpawnError, StartMethod,
        call::{Call, Join, Open},
        handle::Child,
    },
    shm::transfer,
};
use core::cell::{Cell, OnceCell, RefCell};
use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

/// The place of a process among the branches: the branch, and the item if it is a `for` branch.
pub(super) type Key = (usize, Option<usize>);

/// What the branches of one `parallel!` have in common.
#[doc(hidden)]
#[derive(Debug)]
pub struct Group {
    pub(super) settings: Settings,
    /// Everything that runs, to be waited for whatever happens.
    pub(super) children: Mutex<Vec<Arc<Child>>>,
    /// The same, in the order of their starts.
    pub(super) watched: RefCell<Vec<Rc<Watched>>>,
    branches: Cell<usize>,
    /// How many `for` branches may have items that nobody has looked at.
    feeding: Cell<usize>,
    /// How many items there are at most, if that is known.
    items: Cell<Option<usize>>,
    /// The workers, once there was an item for them.
    gang: OnceCell<Gang>,
    /// How many failures have been seen.
    failed: Cell<usize>,
    failures: RefCell<Vec<(usize, Failure)>>,
    /// What happens to everything that still runs.
    ending: Cell<Option<Verdict>>,
    pub(super) bar: Bar,
}

/// A process that is looked after.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) child: Arc<Child>,
    /// Whether it counts as one of the `workers`.
    is_worker: bool,
    verdict: Cell<Option<Verdict>>,
    /// When its failure was seen; 0 is "has not failed".
    order: Cell<usize>,
}

/// What we did to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Cancelled,
    TimedOut,
}

impl Verdict {
    /// The error of a process that it befell; 0 is the pid of one that never was.
    pub(super) const fn error(self, name: String, pid: i32) -> ProcessError {
        match self {
            Self::Cancelled => ProcessError::Cancelled { name, pid },
            Self::TimedOut => ProcessError::TimedOut { name, pid },
        }
    }
}

/// What there is to do for whoever looks after the processes.
pub(super) enum Pace {
    /// All have ended and were taken note of.
    Over,
    /// At least one has ended.
    Changed,
    /// All run.
    Steady,
}

impl Watched {
    fn is_running(&self) -> bool {
        self.child.status().is_none()
    }
}

/// A process, how its result is had, and what is known of it.
pub(super) type Running<R> = (Process<R>, Join<R>, Rc<Watched>);

impl Group {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            children: Mutex::default(),
            watched: RefCell::default(),
            branches: Cell::new(0),
            feeding: Cell::new(0),
            items: Cell::new(Some(0)),
            gang: OnceCell::new(),
            failed: Cell::new(0),
            failures: RefCell::default(),
            ending: Cell::new(None),
            bar: Bar::new(settings.progress),
        }
    }

    pub(super) fn next_branch(&self) -> usize {
        self.branches.replace(self.branches.get() + 1)
    }

    /// A `for` branch begins, with so many items at most.
    pub(super) fn begin_items(&self, most: Option<usize>) {
        let sum = |known: usize| known.checked_add(most?);
        self.items.set(self.items.get().and_then(sum));
        self.feeding.set(self.feeding.get() + 1);
    }

    /// A `for` branch has no more items.
    pub(super) fn end_items(&self) {
        self.feeding.set(self.feeding.get() - 1);
    }

    /// The workers, if there are any.
    pub(super) fn gang(&self) -> Option<&Gang> {
        self.gang.get()
    }

    /// The workers that take this call; `None` if it has a process of its own. The first call decides how they are started, and what they are called.
    pub(super) fn workers_for<R>(&self, call: &Call<'_, R>) -> Result<Option<&Gang>, SpawnError> {
        let Some(workers) = self.settings.workers else { return Ok(None) };
        let method = self.settings.start_method.or(call.start_method()).unwrap_or_default();
        // Workers are replaced whenever one ends, and forked copies of this process would have what it has by then. Daemons may not do what others of the items do.
        if method == StartMethod::Fork || call.is_daemon() {
            return Ok(None);
        }
        let gang = if let Some(gang) = self.gang() {
            gang
        } else {
            let workers = workers.min(self.items.get().unwrap_or(usize::MAX));
            let gang = Gang::start(workers, call.name(), method)?;
            self.gang.get_or_init(|| gang)
        };
        Ok(Some(gang).filter(|gang| gang.method() == method))
    }

    /// Takes in what the workers have told; if `is_late`, looks after them although nothing was heard.
    pub(super) fn collect(&self, is_late: bool) {
        if let Some(gang) = self.gang() {
            gang.collect(is_late);
        }
    }

    /// Lets the workers go once there is nothing more for them to do.
    pub(super) fn let_go(&self) {
        if let Some(gang) = self.gang()
            && self.feeding.get() == 0
            && gang.under_way() == 0
        {
            gang.close();
        }
    }

    pub(super) fn end_workers(&self) {
        if let Some(gang) = self.gang() {
            gang.end();
        }
    }

    /// What became of the branches, if nothing is started any more.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let cancels = self.settings.on_failure == OnFailure::Cancel && self.failed.get() > 0;
        self.ending.get().or_else(|| cancels.then_some(Verdict::Cancelled))
    }

    /// Whether the next item of a `for` branch may be started. Who has ended counts until it is settled: its failure may be the end of all.
    pub(super) fn has_room(&self) -> bool {
        let alone = || self.watched.borrow().iter().filter(|entry| entry.is_worker).count();
        let working = || alone() + self.gang().map_or(0, Gang::under_way);
        self.verdict().is_none() && self.settings.workers.is_none_or(|workers| working() < workers)
    }

    /// Starts one process, or files why there is none.
    pub(super) fn start<R: 'static>(
        &self,
        key: Key,
        name: &'static str,
        call: Call<'_, R>,
    ) -> Option<Running<R>> {
        if let Some(verdict) = self.verdict() {
            self.fail(key, name, verdict.error(name.to_owned(), 0));
            return None;
        }
        let options = Options { start_method: self.settings.start_method, ..Options::new() };
        let join = call.join;
        match call.spawn(options) {
            Ok(process) => {
                let child = Arc::clone(process.child());
                self.children().push(Arc::clone(&child));
                let watched = Rc::new(Watched {
                    child,
                    is_worker: key.1.is_some(),
                    verdict: Cell::new(None),
                    order: Cell::new(0),
                });
                self.watched.borrow_mut().push(Rc::clone(&watched));
                Some((process, join, watched))
            }
            Err(error) => {
                self.fail(key, name, ProcessError::NotStarted { error, name: name.to_owned() });
                None
            }
        }
    }

    fn children(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Child>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the result of a process that has ended, and lets go of it: there may be more items than a program can have processes.
    pub(super) fn settle<R>(
        &self,
        (process, join, watched): Running<R>,
        key: Key,
        name: &'static str,
    ) -> Option<R> {
        let error = match join(process) {
            Ok(result) => {
                self.release(&watched);
                return Some(result);
            }
            Err(error) => match watched.verdict.get() {
                Some(verdict) if error.is_signal() => {
                    verdict.error(error.name().to_owned(), error.pid())
                }
                _ => error,
            },
        };
        if watched.order.get() == 0 {
            watched.order.set(self.next_failure());
        }
        self.failures.borrow_mut().push((watched.order.get(), failure(key, name, error)));
        self.release(&watched);
        None
    }

    /// What an item has returned to a worker, or files why there is nothing. `process` is what a process of its own would be called.
    pub(super) fn settle_item<R>(
        &self,
        landing: Landing,
        name: &str,
        (process, open): (&str, Open<R>),
    ) -> Option<R> {
        self.bar.advance();
        let process = process.to_owned();
        let error = match landing.outcome {
            Landed::Returned(bytes, carried, pid) => {
                match transfer::offer_carried(carried, || open(&bytes)) {
                    Ok(result) => return Some(result),
                    Err(reason) => ProcessError::Decode { reason, name: process, pid },
                }
            }
            Landed::Faulted(fault, pid) => ProcessError::from_fault(fault, process, pid),
            Landed::Failed(TaskError::WorkerLost { pid, cause }) => {
                let error = ProcessError::from_status(cause, &process, pid);
                // What failed before the others were ended has been settled before.
                match self.ending.get() {
                    Some(verdict) if error.is_signal() => verdict.error(process, pid),
                    _ => error,
                }
            }
            Landed::Failed(TaskError::Panicked { message, location, backtrace, pid }) => {
                ProcessError::Panicked { message, location, backtrace, name: process, pid }
            }
            Landed::Failed(error) => {
                ProcessError::NotStarted { error: not_started(error), name: process }
            }
        };
        let order = if landing.order == 0 { self.next_failure() } else { landing.order };
        let key = (landing.branch, Some(landing.index));
        self.failures.borrow_mut().push((order, failure(key, name, error)));
        None
    }

    fn release(&self, settled: &Rc<Watched>) {
        self.bar.advance();
        self.watched.borrow_mut().retain(|entry| !Rc::ptr_eq(entry, settled));
        self.children().retain(|child| !Arc::ptr_eq(child, &settled.child));
    }

    /// Files the failure of what has no process.
    pub(super) fn fail(&self, key: Key, name: &str, error: ProcessError) {
        let failure = (self.next_failure(), failure(key, name, error));
        self.failures.borrow_mut().push(failure);
    }

    fn next_failure(&self) -> usize {
        self.failed.set(self.failed.get() + 1);
        self.failed.get()
    }

    pub(super) fn pace(&self) -> Pace {
        let watched = self.watched.borrow();
        let has_landed = self.gang().is_some_and(|gang| gang.landed() > 0);
        let is_gone = || self.gang().is_none_or(Gang::is_over);
        match watched.iter().filter(|entry| entry.is_running()).count() {
            running if running < watched.len() || has_landed => Pace::Changed,
            0 if is_gone() => Pace::Over,
            _ => Pace::Steady,
        }
    }

    /// Sees which have ended without a result since the last look.
    pub(super) fn note_failures(&self) {
        if let Some(gang) = self.gang() {
            gang.note_failures(|| self.next_failure());
        }
        let watched = self.watched.borrow();
        for entry in watched.iter().filter(|entry| entry.order.get() == 0) {
            if !entry.is_running() && !entry.child.has_result() {
                entry.order.set(self.next_failure());
            }
        }
    }

    /// Tells all that still run to end.
    pub(super) fn end(&self, verdict: Verdict, signal: i32) {
        self.ending.set(Some(verdict));
        for entry in self.watched.borrow().iter().filter(|entry| entry.is_running()) {
            entry.verdict.set(Some(verdict));
        }
        if let Some(gang) = self.gang() {
            gang.close();
        }
        self.signal(signal);
    }

    pub(super) fn signal(&self, signal: i32) {
        for entry in self.watched.borrow().iter().filter(|entry| entry.is_running()) {
            // One that changed its user and cannot be signalled is waited for.
            let _ = entry.child.signal(signal);
        }
        if let Some(gang) = self.gang() {
            gang.signal(signal);
        }
    }

    /// The failures, in the order in which they were seen; what was cancelled because of them comes last.
    pub(super) fn take_failures(&self) -> Vec<Failure> {
        let mut failures = self.failures.take();
        failures.sort_by_key(|(order, failure)| {
            (matches!(failure.error, ProcessError::Cancelled { .. }), *order)
        });
        failures.into_iter().map(|(_, failure)| failure).collect()
    }
}

fn failure((branch, index): Key, name: &str, error: ProcessError) -> Failure {
    Failure { branch, index, name: name.to_owned(), error }
}

impl ProcessError {
    const fn is_signal(&self) -> bool {
        matches!(self, Self::Signaled { .. } | Self::Lost { .. })
    }
}
