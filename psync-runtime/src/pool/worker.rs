//! A worker: takes batches, runs their tasks one after the other, and tells what became of each.
#![allow(unsafe_code, reason = "turns offsets back into functions")]

use super::{
    callbacks::discard,
    desk::{FAULT, Seat, Slot, State, Ticket},
    error::complain,
    frame::{HEAD, Kind, Note, Order, next_argument},
};
use crate::{
    channel::{Arrived, Limit, RecvError, Wire, codec, message},
    process::{
        Fault, Runner, answer, describe_panic, function_at, panics::__rust_begin_short_backtrace,
    },
    shm::{Carried, Luggage, Shared, transfer, world},
    sys::{clock, clock::Deadline, fault},
};
use core::time::Duration;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A result is sent at the latest so many nanoseconds after the one before, unless the task after it takes longer.
const FLUSH: u64 = 1_000_000;
/// Longer buffers are given back after use.
const KEEP: usize = 1 << 20;

/// Everything a worker has of its pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Post {
    pub(super) tasks: Wire,
    pub(super) results: Wire,
    pub(super) slots: Shared<[Slot]>,
    pub(super) seats: Shared<[Seat]>,
    pub(super) seat: usize,
    /// How many tasks it may run.
    pub(super) limit: Option<u64>,
    /// How many bytes it may allocate.
    pub(super) memory: Option<u64>,
    /// Whether somebody looks at when each task began.
    pub(super) is_timed: bool,
}

/// The runner for functions from `A` to `R`.
pub(super) fn runner<A, R>(
    function: *const (),
    argument: &[u8],
    result: &mut Vec<u8>,
) -> Result<Luggage, Fault>
where
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    let argument = message::decode::<A>(argument).map_err(|error| {
        let reason = error.to_string();
        complain("the argument of a task", &reason);
        Fault::Decode(reason)
    })?;
    // SAFETY: the pool took both offsets together, this runner's and that of a function of this type, in the same image (UNSAFE.md, P1).
    let function = unsafe { core::mem::transmute::<*const (), fn(A) -> R>(function) };
    answer(&function(argument), result).map_err(|reason| {
        complain("the result of a task could not be encoded", &reason);
        Fault::Encode(reason)
    })
}

/// What a worker's process runs: `initializer` is the offset of a function of `A`.
pub(super) fn work<A: DeserializeOwned>((post, initializer, argument): (Post, u64, A)) {
    let Post { tasks, results, slots, seats, seat, limit, memory, is_timed } = post;
    let Some(place) = seats.get(seat) else { return };
    if let Some(bytes) = memory {
        limit_memory(bytes);
    }
    place.note_prepares();
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let function = function_at(initializer)?;
        // SAFETY: the pool took the offset from a function of this type, in the same image (UNSAFE.md, P1).
        let function = unsafe { core::mem::transmute::<*const (), fn(A)>(function) };
        function(argument);
        Some(())
    }));
    let note = |kind, text: &str| {
        let head = Note::about(kind, Ticket::from_bits(0)).to_bytes();
        results.send([&head, text.as_bytes()], &[])
    };
    let told = match prepared {
        Ok(Some(())) => {
            place.note_ready();
            note(Kind::Ready, "")
        }
        Ok(None) => note(Kind::NotReady, "it is not in this program"),
        Err(payload) => {
            let (message, location, _) = describe_panic(payload.as_ref());
            let location = location.map(|location| format!(" at {location}")).unwrap_or_default();
            note(Kind::NotReady, &format!("it panicked{location}: {message}"))
        }
    };
    if told.is_err() || !place.is_ready() {
        return;
    }
    let mut worker = Worker {
        tasks: &tasks,
        results: &results,
        slots: &slots,
        place,
        seat,
        left: limit.unwrap_or(u64::MAX),
        ran: 0,
        clock: Clock::new(is_timed),
        arguments: Vec::new(),
        result: Vec::new(),
    };
    while worker.left > 0 && worker.serve() {}
}

/// From here on so many bytes of private memory more.
fn limit_memory(bytes: u64) {
    let Some(used) = private_memory() else { return };
    let limit = used.saturating_add(bytes);
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_DATA) {
        // What is above the hard limit is not ours to give.
        let _ = setrlimit(Resource::RLIMIT_DATA, limit.min(hard), hard);
    }
}

/// How much this process has, as `RLIMIT_DATA` counts it.
fn private_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// See the module.
struct Worker<'a> {
    tasks: &'a Wire,
    results: &'a Wire,
    slots: &'a [Slot],
    place: &'a Seat,
    seat: usize,
    /// How many tasks it may still run.
    left: u64,
    ran: u64,
    clock: Clock,
    arguments: Vec<u8>,
    result: Vec<u8>,
}

/// The coarse clock, which is looked at rarely while tasks are short: a look would cost as much as one of them.
struct Clock {
    now: u64,
    /// At how many questions it is not looked at.
    rest: u32,
    stride: u32,
    longest: u32,
}

impl Clock {
    const fn new(is_timed: bool) -> Self {
        Self { now: 0, rest: 0, stride: 0, longest: if is_timed { 0 } else { 31 } }
    }

    fn look(&mut self) -> u64 {
        let now = clock::coarse();
        self.stride = if now == self.now { (2 * self.stride + 1).min(self.longest) } else { 0 };
        (self.now, self.rest) = (now, self.stride);
        now
    }

    #[inline]
    fn now(&mut self) -> u64 {
        if self.rest == 0 {
            return self.look();
        }
        self.rest -= 1;
        self.now
    }
}

/// What is known of a batch while it runs.
struct Course {
    ticket: Ticket,
    /// Of the next task; those before are finished.
    index: u32,
    /// The first whose result was not sent.
    unsent: u32,
    /// How much of the buffer is in use.
    used: usize,
    began: u64,
    sent_at: u64,
}

impl Course {
    /// A note about the task that was just run, whose result goes by itself.
    fn one(&self, kind: Kind) -> Note {
        Note { index: self.index, count: 1, ..self.note(kind) }
    }

    fn note(&self, kind: Kind) -> Note {
        let nanos = clock::now().saturating_sub(self.began);
        Note { nanos, ran: self.index, ..Note::about(kind, self.ticket) }
    }
}

impl Worker<'_> {
    /// Takes the next batch and runs it; false if there will be none.
    fn serve(&mut self) -> bool {
        let mut order = None;
        let claim = |head: &[u8; HEAD]| {
            let taken = Order::from_bytes(head);
            self.place.claim(taken.ticket);
            order = Some(taken);
            // One that was withdrawn may be too long to be read.
            let slot = taken.ticket.slot().and_then(|slot| self.slots.get(slot));
            slot.is_some_and(|slot| slot.state(taken.ticket) == State::Queued)
        };
        // A wait with an end: nobody waits for this worker in a circle.
        let limit = Limit::Until(Deadline::after(Duration::from_hours(1)));
        let arrived = match self.tasks.receive(&mut self.arguments, limit, claim) {
            Ok(arrived) => arrived,
            Err(RecvError::TimedOut) => return true,
            Err(RecvError::Damaged) => {
                // The next worker could do no more, and so on: the pool has to know.
                let none = Ticket::from_bits(0);
                self.tell(Note::about(Kind::Unreadable, none), &[], &[]);
                return false;
            }
            // Nothing more will come, or nothing more can be read: the pool looks after what this worker has claimed.
            Err(_) => return false,
        };
        let Some(order) = order else { return true };
        let arguments = core::mem::take(&mut self.arguments);
        let slot = order.ticket.slot().and_then(|slot| self.slots.get(slot));
        let goes_on = match slot {
            Some(slot) if slot.take(order.ticket, self.seat) => {
                fault::point("pool: batch taken");
                let body = arguments.get(HEAD..).unwrap_or_default();
                self.run(order, slot, body, arrived)
            }
            _ => self.tell(Note::about(Kind::Skipped, order.ticket), &[], &[]),
        };
        self.place.leave(self.ran);
        if arguments.capacity() <= KEEP {
            self.arguments = arguments;
        }
        goes_on
    }

    fn tell(&self, note: Note, body: &[u8], carried: &[Carried]) -> bool {
        let note = Note { pid: world::me().pid, ..note };
        self.results.send([&note.to_bytes(), body], carried).is_ok()
    }

    /// Runs the tasks of a batch. False if nobody wants to hear of them.
    fn run(&mut self, order: Order, slot: &Slot, arguments: &[u8], arrived: Arrived) -> bool {
        let (runner, function) = (function_at(order.runner), function_at(order.function));
        // SAFETY: the pool took the offset from a `Runner` of the same image (UNSAFE.md, P1).
        let runner =
            runner.map(|runner| unsafe { core::mem::transmute::<*const (), Runner>(runner) });
        let (mut carried, missing) = match arrived {
            Arrived::Plain => (None, None),
            Arrived::WithHandles(carried) => (Some(carried), None),
            Arrived::Broken(reason) => (None, Some(reason)),
        };
        let now = self.clock.look();
        let mut course = Course {
            ticket: order.ticket,
            index: 0,
            unsent: 0,
            used: 0,
            began: clock::now(),
            sent_at: now,
        };
        let mut rest = arguments;
        while course.index < order.count && self.left > 0 {
            let argument = if order.count == 1 || missing.is_some() {
                arguments
            } else {
                let Some((argument, behind)) = next_argument(rest) else { break };
                rest = behind;
                argument
            };
            let is_wanted = || slot.state(order.ticket) == State::Taken(self.seat);
            if !self.place.begin(course.index, self.clock.now(), is_wanted) {
                break;
            }
            self.result.clear();
            let outcome = match (&missing, runner, function) {
                (Some(reason), ..) => {
                    complain("the argument of a task", reason);
                    Ok(Err(Fault::Decode(reason.clone())))
                }
                (None, Some(runner), Some(function)) => {
                    let result = &mut self.result;
                    let mut call =
                        || __rust_begin_short_backtrace(|| runner(function, argument, result));
                    catch_unwind(AssertUnwindSafe(|| match carried.take() {
                        Some(carried) => transfer::offer_carried(carried, call),
                        None => call(),
                    }))
                }
                _ => Ok(Err(Fault::Decode("its function is not in this program".to_owned()))),
            };
            let told = match outcome {
                Ok(Ok(luggage)) => self.succeed(&mut course, luggage),
                Ok(Err(failure)) => self.fail(&mut course, &failure),
                Err(payload) => {
                    let (message, location, backtrace) = describe_panic(payload.as_ref());
                    discard(payload);
                    self.fail(&mut course, &Fault::Panicked { message, location, backtrace })
                }
            };
            (self.left, self.ran) = (self.left - 1, self.ran + 1);
            if !told {
                return false;
            }
        }
        self.flush(&mut course, true)
    }

    /// A task has returned what is in `result`.
    fn succeed(&mut self, course: &mut Course, mut luggage: Luggage) -> bool {
        if luggage.carried().is_empty()
            && let Some(told) = self.keep(course, 0)
        {
            return told;
        }
        let told = self.flush(course, false)
            && self.tell(course.one(Kind::Returned), &self.result, luggage.carried());
        luggage.depart();
        fault::point("pool: long result sent");
        self.pass(course);
        told
    }

    fn fail(&mut self, course: &mut Course, failure: &Fault) -> bool {
        self.result.clear();
        if codec::encode_into(failure, &mut self.result).is_err() {
            self.result.clear();
        }
        if let Some(told) = self.keep(course, FAULT) {
            // At once: what others do may depend on it, and the next task may take long.
            return told && self.flush(course, false);
        }
        let told =
            self.flush(course, false) && self.tell(course.one(Kind::Fault), &self.result, &[]);
        self.pass(course);
        told
    }

    /// Puts a result with others into the buffer; `None` if it is too long for that.
    fn keep(&mut self, course: &mut Course, fault: u32) -> Option<bool> {
        let record = |course: &Course, result: &[u8]| {
            self.place.record(course.index, course.used, result, fault)
        };
        let mut used = record(course, &self.result);
        if used.is_none() && course.used > 0 {
            if !self.flush(course, false) {
                return Some(false);
            }
            used = record(course, &self.result);
        }
        course.used = used?;
        course.index += 1;
        let is_time = self.clock.now().saturating_sub(course.sent_at) > FLUSH;
        Some(!is_time || self.flush(course, false))
    }

    /// What a result that goes by itself leaves.
    fn pass(&mut self, course: &mut Course) {
        course.index += 1;
        course.unsent = course.index;
        self.place.commit(course.index, 0);
        if self.result.capacity() > KEEP {
            self.result = Vec::new();
        }
    }

    /// Sends what is in the buffer.
    fn flush(&mut self, course: &mut Course, is_last: bool) -> bool {
        course.sent_at = self.clock.look();
        if course.used == 0 && !is_last {
            return true;
        }
        let count = course.index - course.unsent;
        let note = Note { index: course.unsent, count, is_last, ..course.note(Kind::Results) };
        let told = self.tell(note, self.place.results(), &[]);
        fault::point("pool: results sent");
        (course.unsent, course.used) = (course.index, 0);
        self.place.commit(course.index, 0);
        told
    }
}
