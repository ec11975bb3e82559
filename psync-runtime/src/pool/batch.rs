//! Tasks on their way: some arguments for one function, and whoever waits for what it makes of them.

use super::{
    error::{SubmitError, TaskError, read_fault},
    frame::{self, Order, next_argument},
    worker::runner,
};
use crate::{
    channel::message,
    process::{Fault, Runner, offset_of_function},
    shm::{self, Carried, Luggage},
};
use core::ops::Range;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// What became of a task.
pub(super) enum Outcome<'a> {
    /// The bytes of its result, what came along with them, and the pid of the worker.
    Returned(&'a [u8], Vec<Carried>, i32),
    /// It failed in the worker with that pid.
    Faulted(Fault, i32),
    Failed(TaskError),
}

/// What became of some tasks of a batch.
pub(super) enum Parcel<'a> {
    /// Of those of `span` that the records of a buffer tell of, by the worker with that pid.
    Records { buffer: &'a [u8], span: Range<u32>, pid: i32 },
    /// Of one.
    One(u32, Outcome<'a>),
    /// All of these have failed.
    Failed(Range<u32>, TaskError),
}

impl<'a> Parcel<'a> {
    /// Calls `take` with each task's index in the batch and what became of it.
    #[inline]
    pub(super) fn each(self, mut take: impl FnMut(u32, Outcome<'a>)) {
        match self {
            Self::Records { buffer, span, pid } => {
                for (index, is_fault, bytes) in frame::results(buffer) {
                    if !span.contains(&index) {
                        continue;
                    }
                    take(
                        index,
                        if is_fault {
                            Outcome::Faulted(read_fault(bytes), pid)
                        } else {
                            Outcome::Returned(bytes, Vec::new(), pid)
                        },
                    );
                }
            }
            Self::One(index, outcome) => take(index, outcome),
            Self::Failed(span, error) => {
                for index in span {
                    take(index, Outcome::Failed(error.clone()));
                }
            }
        }
    }

    /// Without the tasks before `first`, of which it is known already.
    pub(super) fn from(self, first: u32) -> Option<Self> {
        Some(match self {
            Self::Records { buffer, span, pid } => {
                Self::Records { buffer, span: first.max(span.start)..span.end, pid }
            }
            Self::One(index, _) if index < first => return None,
            Self::Failed(span, error) => Self::Failed(first.max(span.start)..span.end, error),
            one @ Self::One(..) => one,
        })
    }
}

/// Whoever waits for tasks. Called by any thread, and without any lock held.
pub(super) trait Work: Send + Sync {
    /// Takes what became of some tasks of the batch that begins with `base`. It comes once for each. Before anybody is told, `count` is, how many have returned
    /// and how many have failed.
    fn settle(self: Arc<Self>, base: u64, parcel: Parcel<'_>, count: &dyn Fn(u64, u64));

    /// How long some of the tasks took, all together.
    fn note_pace(&self, _nanos: u64, _tasks: u32) {}
}

/// Which work: its address, while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkId(usize);

impl WorkId {
    pub(super) fn of<W: ?Sized>(work: &Arc<W>) -> Self {
        Self(Arc::as_ptr(work).cast::<()>().addr())
    }
}

/// A function as it is called in a worker: offsets of the code that knows its types, and of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function {
    runner: u64,
    function: u64,
}

impl Function {
    pub(super) fn of<A, R>(function: fn(A) -> R) -> Result<Self, SubmitError>
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        Self::run_by(runner::<A, R>, function as *const ())
    }

    /// A function of which the runner knows the types.
    pub(super) fn run_by(runner: Runner, function: *const ()) -> Result<Self, SubmitError> {
        let offset = |function| offset_of_function(function).ok_or(SubmitError::UnknownFunction);
        Ok(Self { runner: offset(runner as *const ())?, function: offset(function)? })
    }
}

/// See the module.
pub(super) struct Batch {
    pub(super) work: Arc<dyn Work>,
    function: Function,
    /// The index of its first task among those of the work.
    pub(super) base: u64,
    pub(super) count: u32,
    /// Each behind its length; those before `start` belong to earlier parts of what was one batch.
    arguments: Vec<u8>,
    start: usize,
    /// What goes along with a single argument. On our account until the batch is gone, however often it is sent.
    luggage: Luggage,
    /// How many of its tasks are settled: the first ones.
    pub(super) settled: u32,
    /// How often its first task has cost a worker.
    pub(super) tries: u32,
    /// How many workers have ended while they took it, before they began.
    pub(super) stumbles: u32,
    /// Whether all that is not settled has been told to whoever waits already.
    pub(super) is_given_up: bool,
    /// No further task of it is to begin; what those get.
    pub(super) stopped: Option<TaskError>,
}

impl core::fmt::Debug for Batch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Batch({} to {})", self.base, self.base + u64::from(self.count))
    }
}

impl Batch {
    pub(super) fn new(work: Arc<dyn Work>, function: Function, base: u64) -> Self {
        Self {
            work,
            function,
            base,
            count: 0,
            arguments: Vec::new(),
            start: 0,
            luggage: Luggage::default(),
            settled: 0,
            tries: 0,
            stumbles: 0,
            is_given_up: false,
            stopped: None,
        }
    }

    /// Adds an argument; if it takes handles along, it has to be the only one, and comes back as such a batch of its own.
    pub(super) fn push<A: Serialize + 'static>(
        &mut self,
        argument: &A,
    ) -> Result<Option<Self>, SubmitError> {
        let encode = |bytes: &mut Vec<u8>| message::encode(argument, bytes).map_err(String::from);
        self.push_encoded(message::is_plain::<A>(), encode)
    }

    /// The same for whoever encodes it himself; a plain one takes nothing along.
    pub(super) fn push_encoded(
        &mut self,
        is_plain: bool,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<Option<Self>, SubmitError> {
        let start = self.arguments.len();
        let arguments = &mut self.arguments;
        let (put, luggage) = if is_plain {
            (frame::put_argument(arguments, encode), Luggage::default())
        } else {
            shm::collect_to_keep(|| frame::put_argument(arguments, encode))
        };
        put.map_err(|reason| SubmitError::Encode { reason })?;
        if luggage.carried().is_empty() {
            self.count += 1;
            return Ok(None);
        }
        let arguments = self.arguments.split_off(start);
        let base = self.base + u64::from(self.count);
        let alone = Self::new(Arc::clone(&self.work), self.function, base);
        Ok(Some(Self { count: 1, arguments, luggage, ..alone }))
    }

    pub(super) fn is_of(&self, function: Function) -> bool {
        self.function == function
    }

    /// The next one, with nothing in it.
    pub(super) fn next(&self) -> Self {
        Self::new(Arc::clone(&self.work), self.function, self.base + u64::from(self.count))
    }

    pub(super) fn len(&self) -> usize {
        self.arguments.len() - self.start
    }

    pub(super) fn carried(&self) -> &[Carried] {
        self.luggage.carried()
    }

    pub(super) fn order(&self, ticket: super::desk::Ticket) -> Order {
        let Function { runner, function } = self.function;
        Order { ticket, runner, function, count: self.count }
    }

    /// What follows the head of its message.
    pub(super) fn body(&self) -> &[u8] {
        let arguments = &self.arguments[self.start..];
        match next_argument(arguments) {
            Some((only, _)) if self.count == 1 => only,
            _ => arguments,
        }
    }

    /// Splits off what is not settled: the next task, and those behind it.
    pub(super) fn rest(mut self) -> [Option<Self>; 2] {
        for _ in 0..self.settled {
            self.skip();
        }
        self.settled = 0;
        if self.count <= 1 {
            return [(self.count == 1).then_some(self), None];
        }
        let head = self.next_bytes();
        let next = Self::new(Arc::clone(&self.work), self.function, self.base);
        let next = Self { count: 1, arguments: head, tries: self.tries, ..next };
        self.skip();
        (self.tries, self.stumbles) = (0, 0);
        [Some(next), Some(self)]
    }

    fn next_bytes(&self) -> Vec<u8> {
        let arguments = &self.arguments[self.start..];
        let len = next_argument(arguments).map_or(0, |(first, _)| 8 + first.len());
        arguments[..len].to_vec()
    }

    fn skip(&mut self) {
        let len =
            next_argument(&self.arguments[self.start..]).map_or(0, |(first, _)| 8 + first.len());
        self.start += len;
        self.base += 1;
        self.count -= 1;
    }

    /// The tasks that are not settled, by their indices in the batch.
    pub(super) fn open(&self) -> Range<u32> {
        self.settled..self.count
    }
}
