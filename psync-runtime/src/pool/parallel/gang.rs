//! The workers that the items of one `parallel!` share: a pool without a handle and without threads, which ends with it.
//!
//! Whoever runs the `parallel!` does it all on its own thread: hands items over, takes in what the workers tell, and replaces those that end. What becomes of an item
//! lies in a tray until its branch takes it from there, since only the branch knows its type.
//!
//! An item may have been lent memory of the caller's, so no worker outlives the `parallel!` (UNSAFE.md, P3): it returns after [`Gang::is_over`], and unwinds after
//! [`Gang::end`].

use crate::{
    pool::{
        batch::{Batch, Function, Outcome, Parcel, Work, WorkId},
        books::Phase,
        builder,
        crew::Terms,
        desk::State,
        error::{SubmitError, TaskError},
        inner::{Inner, Reach},
        signal::lock,
    },
    primitive::Ordering,
    process::{Fault, Finalizer, SpawnError, StartMethod, call::Call},
    shm::{
        Carried, ShmError,
        world::{Identity, Wake},
    },
    sys::{clock::Deadline, membarrier},
};
use core::cell::{Cell, RefCell};
use nix::libc;
use std::sync::{Arc, Mutex};

/// Its number lies above that of an item in what the pool knows an item by.
const BRANCH_SHIFT: u32 = 48;
/// A program has no more processes than that.
const MOST: usize = 4096;

/// What became of an item, in the order in which it was told.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) branch: usize,
    pub(super) index: usize,
    /// The place of its failure among all; 0 is "was not given one".
    pub(super) order: usize,
    pub(super) outcome: Landed,
}

/// See [`Landing`].
#[derive(Debug)]
pub(super) enum Landed {
    /// The bytes of its result, what came along with them, and who sent them.
    Returned(Vec<u8>, Vec<Carried>, i32),
    Faulted(Fault, i32),
    Failed(TaskError),
}

impl Landing {
    /// Whether nobody has begun with it, nor ever will.
    pub(super) const fn never_began(&self) -> bool {
        matches!(self.outcome, Landed::Failed(TaskError::Cancelled | TaskError::Closed))
    }

    fn has_failed(&self) -> bool {
        !matches!(self.outcome, Landed::Returned(..)) && !self.never_began()
    }
}

/// Where the outcomes arrive.
#[derive(Debug, Default)]
struct Tray(Mutex<Vec<Landing>>);

impl Work for Tray {
    fn settle(self: Arc<Self>, base: u64, parcel: Parcel<'_>, count: &dyn Fn(u64, u64)) {
        let mut counts = (0, 0);
        let mut landings = lock(&self.0);
        parcel.each(|index, outcome| {
            let number = base + u64::from(index);
            let outcome = match outcome {
                Outcome::Returned(bytes, carried, pid) => {
                    Landed::Returned(bytes.to_vec(), carried, pid)
                }
                Outcome::Faulted(fault, pid) => Landed::Faulted(fault, pid),
                Outcome::Failed(error) => Landed::Failed(error),
            };
            #[allow(
                clippy::cast_possible_truncation,
                reason = "takes apart what `number` has put together"
            )]
            let (branch, index) =
                ((number >> BRANCH_SHIFT) as usize, (number & ((1 << BRANCH_SHIFT) - 1)) as usize);
            let landing = Landing { branch, index, order: 0, outcome };
            *(if landing.has_failed() { &mut counts.1 } else { &mut counts.0 }) += 1;
            landings.push(landing);
        });
        count(counts.0, counts.1);
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Gang {
    inner: Arc<Inner>,
    tray: Arc<Tray>,
    buffer: RefCell<Vec<u8>>,
    method: StartMethod,
    /// Whether no more is handed over.
    is_closed: Cell<bool>,
    /// Lets the workers go when the program exits meanwhile, since its exit waits for them.
    at_exit: Option<Finalizer>,
}

impl Gang {
    /// Starts the workers; fewer if not all can be started, but one at least.
    pub(super) fn start(
        workers: usize,
        name: &str,
        method: StartMethod,
    ) -> Result<Self, SpawnError> {
        let terms = Terms {
            workers: workers.clamp(1, MOST),
            name: name.to_owned(),
            start: builder::starting(|()| {}, ()),
            has_initializer: false,
            method: Some(method),
            timeout: None,
            retries: 0,
        };
        let inner = Inner::new(terms, (None, None)).map_err(|error| match error.downcast() {
            Ok(ShmError::Os(error)) => SpawnError::Os(error),
            _ => SpawnError::Refused { reason: "there is no memory for so many `workers`" },
        })?;
        let tasks = inner.post.tasks.clone();
        let at_exit = Finalizer::new(Some(i32::MIN), move || tasks.close());
        // From here on, since workers that were started have to end as well.
        let gang = Self {
            inner,
            tray: Arc::default(),
            buffer: RefCell::default(),
            method,
            is_closed: Cell::new(false),
            at_exit: Some(at_exit),
        };
        let started = gang.inner.fill_seats(&mut lock(&gang.inner.crew));
        match started {
            Err(error) if gang.has_ended() => Err(error),
            _ => Ok(gang),
        }
    }

    /// How its workers were started.
    pub(super) const fn method(&self) -> StartMethod {
        self.method
    }

    /// Puts an item to those in hand, or hands it over at once if it cannot share a batch; then true. If it cannot be handed over at all, the reason; those in hand are
    /// handed over then.
    pub(super) fn gather<R>(
        &self,
        hand: &mut Option<Batch>,
        (branch, index): (usize, usize),
        call: &Call<'_, R>,
    ) -> Result<bool, SpawnError> {
        let (runner, function) = call.code();
        let added = Function::run_by(runner, function).and_then(|function| {
            if hand.as_ref().is_some_and(|batch| !batch.is_of(function)) {
                self.hand_over(hand.take());
            }
            let number = (branch as u64) << BRANCH_SHIFT | index as u64;
            let batch = hand.get_or_insert_with(|| {
                let work: Arc<dyn Work> = Arc::clone(&self.tray) as _;
                Batch::new(work, function, number)
            });
            batch.push_encoded(false, |bytes| call.pack(bytes))
        });
        match added {
            Ok(None) => Ok(false),
            Ok(alone) => {
                self.hand_over(hand.take());
                self.hand_over(alone);
                Ok(true)
            }
            Err(error) => {
                self.hand_over(hand.take());
                Err(match error {
                    SubmitError::Encode { reason } => SpawnError::Encode { reason },
                    SubmitError::UnknownFunction => SpawnError::UnknownFunction,
                    other => not_started(other.into()),
                })
            }
        }
    }

    /// Hands over what was gathered.
    pub(super) fn hand_over(&self, hand: Option<Batch>) {
        let Some(batch) = hand.filter(|batch| batch.count > 0) else { return };
        let (base, open) = (batch.base, batch.open());
        if let Err(error) = self.inner.submit(batch) {
            Arc::clone(&self.tray).settle(base, Parcel::Failed(open, error.into()), &|_, _| {});
        }
    }

    /// How many batches are not over, or their items not taken off the tray.
    pub(super) fn under_way(&self) -> usize {
        self.inner.outstanding.load(Ordering::SeqCst) + self.landed()
    }

    /// How many items lie on the tray.
    pub(super) fn landed(&self) -> usize {
        lock(&self.tray.0).len()
    }

    /// Takes in what the workers have told, and looks after those that have ended; if `is_late`, also if nobody has told of a death.
    pub(super) fn collect(&self, is_late: bool) {
        let buffer = &mut *self.buffer.borrow_mut();
        self.inner.drain(buffer, &|| false);
        if is_late || self.inner.has_news() {
            self.inner.see_to_the_dead(buffer);
        }
    }

    /// Gives the failures on the tray their places.
    pub(super) fn note_failures(&self, next: impl Fn() -> usize) {
        for landing in &mut *lock(&self.tray.0) {
            if landing.order == 0 && landing.has_failed() {
                landing.order = next();
            }
        }
    }

    /// Takes the items of a branch off the tray.
    pub(super) fn take(&self, branch: usize) -> Vec<Landing> {
        lock(&self.tray.0).extract_if(.., |landing| landing.branch == branch).collect()
    }

    /// Sleeps until something may have become of an item, a process has ended, or the time is up.
    pub(super) fn sleep(&self, until: Deadline) -> Wake {
        let inner = &self.inner;
        let ready = || inner.post.results.len() > 0 || inner.has_news();
        if inner.post.results.wait(ready, until) { Wake::Look } else { Wake::TimedOut }
    }

    /// Lets the workers go: what nobody has begun with never will be, and each of them ends once it has nothing to do.
    pub(super) fn close(&self) {
        if self.is_closed.replace(true) {
            return;
        }
        // As an end of the pool, but for what runs: that is awaited.
        let work = WorkId::of(&self.tray);
        self.inner.call_off(work, &TaskError::Cancelled, Reach::NotBegun);
        lock(&self.inner.books).phase = Phase::Ended;
        self.inner.post.tasks.close();
    }

    /// Sends a signal to those that run an item; SIGKILL to all. After [`close`](Self::close).
    pub(super) fn signal(&self, signal: i32) {
        // Whoever has not begun by now sees that it is not to.
        membarrier::heavy();
        let crew = lock(&self.inner.crew);
        for (seat, member) in crew.members.iter().enumerate() {
            let Some(process) = &member.process else { continue };
            let place = self.inner.seat(seat);
            let is_mine = || {
                let state = self.inner.state(place.ticket());
                matches!(state, State::Taken(by) | State::Stopped(by) if by == seat)
            };
            if signal == libc::SIGKILL || (place.progress().running().is_some() && is_mine()) {
                // One that changed its user and cannot be signalled is waited for.
                let _ = process.child().signal(signal);
            }
        }
    }

    /// The workers that live, as far as was seen.
    pub(super) fn living(&self) -> Vec<Identity> {
        lock(&self.inner.crew).living().map(|process| process.child().id).collect()
    }

    fn has_ended(&self) -> bool {
        lock(&self.inner.crew).living().next().is_none()
    }

    /// Whether all items are done with and all workers have ended.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed.get() && self.under_way() == 0 && self.has_ended()
    }

    /// Ends it, wherever it is: the workers get SIGTERM and, if that does not help, SIGKILL; then they have ended.
    pub(super) fn end(&self) {
        if self.inner.is_ours() {
            self.close();
            self.inner.end_workers();
        }
    }
}

impl Drop for Gang {
    fn drop(&mut self) {
        self.end();
        if let Some(at_exit) = self.at_exit.take() {
            at_exit.cancel();
        }
    }
}

/// Why an item was not begun with, of which the pool says this.
pub(super) fn not_started(error: TaskError) -> SpawnError {
    match error {
        TaskError::Initializer(_) => SpawnError::Lost,
        other => SpawnError::Encode { reason: other.to_string() },
    }
}
