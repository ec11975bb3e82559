//! Why a task has no result, and why one was not taken.

use crate::{
    channel::codec,
    process::{ExitStatus, Fault},
};
use core::fmt;

/// Why a task has no result.
///
/// # Examples
/// ```
/// use psync::pool::{Pool, TaskError};
///
/// let pool = Pool::new(1)?;
/// let error = pool.run(|n: u32| 7 / n, 0).unwrap_err();
/// assert!(matches!(&error, TaskError::Panicked { message, .. } if message.contains("divide by zero")));
/// assert_eq!(pool.run(|n: u32| 7 / n, 2)?, 3);
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskError {
    /// It panicked. The worker goes on.
    Panicked {
        /// The panic's message.
        message: String,
        /// `file:line:column` of the panic.
        location: Option<String>,
        /// The backtrace, if `RUST_BACKTRACE` asked for one.
        backtrace: Option<String>,
        /// The worker's pid.
        pid: i32,
    },
    /// The worker ended while it ran the task, as often as the task was tried.
    WorkerLost {
        /// The pid of the last worker that did.
        pid: i32,
        /// How that one ended.
        cause: ExitStatus,
    },
    /// Its time was up, and it was ended.
    TimedOut,
    /// It was cancelled before it began.
    Cancelled,
    /// It was ended by [`Task::kill`](super::Task::kill).
    Killed,
    /// Its argument or its result could not be encoded. Standard error says why.
    Encode,
    /// Its argument could not be decoded by the worker, or its result here. Standard error says why.
    Decode,
    /// The initialiser of a worker failed, or workers cannot be had at all, and with that the pool; why.
    Initializer(String),
    /// The pool was ended before the task was done, or takes no more.
    Closed,
    /// What was asked for cannot be done; why.
    Input(String),
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, location, pid, .. } => {
                write!(f, "the task panicked in worker {pid}")?;
                if let Some(location) = location {
                    write!(f, " at {location}")?;
                }
                write!(f, ": {message}")
            }
            Self::WorkerLost { pid, cause } => {
                write!(f, "worker {pid} ended while it ran the task: {cause}")
            }
            Self::TimedOut => f.write_str("the task ran longer than it may"),
            Self::Cancelled => f.write_str("the task was cancelled before it began"),
            Self::Killed => f.write_str("the task was killed"),
            Self::Encode => {
                f.write_str("the argument or the result of the task could not be encoded")
            }
            Self::Decode => {
                f.write_str("the argument or the result of the task could not be decoded")
            }
            Self::Initializer(reason) => {
                write!(f, "the pool is broken: {reason}")
            }
            Self::Closed => f.write_str("the pool is closed"),
            Self::Input(reason) => f.write_str(reason),
        }
    }
}

impl core::error::Error for TaskError {}

/// Why a task was not taken. Nothing of it was or will be run.
///
/// # Examples
/// ```
/// use psync::{Pool, pool::SubmitError};
///
/// let pool = Pool::new(1)?;
/// pool.close();
/// assert!(matches!(pool.submit(|n: u32| n, 1), Err(SubmitError::Closed)));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError {
    /// Its argument could not be encoded.
    Encode {
        /// Why, in the words of the argument's `Serialize`.
        reason: String,
    },
    /// The function lies in no code of the main program (but in a shared library, say), so the workers could not find it.
    UnknownFunction,
    /// The pool is closed, or belongs to another process.
    Closed,
    /// See [`TaskError::Initializer`].
    Initializer(String),
    /// It cannot be sent to the workers, for want of memory most likely; why.
    System(String),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode { reason } => write!(f, "the argument could not be encoded: {reason}"),
            Self::UnknownFunction => f.write_str(
                "the function is not part of the main program, so no worker could find it",
            ),
            Self::Closed => TaskError::Closed.fmt(f),
            Self::Initializer(reason) => TaskError::Initializer(reason.clone()).fmt(f),
            Self::System(reason) => write!(f, "the task cannot be sent: {reason}"),
        }
    }
}

impl core::error::Error for SubmitError {}

impl From<SubmitError> for TaskError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Encode { reason } => {
                complain("an argument could not be encoded", &reason);
                Self::Encode
            }
            SubmitError::Closed => Self::Closed,
            SubmitError::Initializer(reason) => Self::Initializer(reason),
            error @ (SubmitError::UnknownFunction | SubmitError::System(_)) => {
                Self::Input(error.to_string())
            }
        }
    }
}

/// What a worker wrote down of a task that failed.
#[cold]
pub(super) fn read_fault(bytes: &[u8]) -> Fault {
    codec::decode(bytes).unwrap_or_else(|error| Fault::Decode(error.into()))
}

/// The error of a task of which the worker with that pid wrote this down. Reasons have no room in it; whoever found them out has said them.
pub(super) fn of_fault(fault: Fault, pid: i32) -> TaskError {
    match fault {
        Fault::Panicked { message, location, backtrace } => {
            TaskError::Panicked { message, location, backtrace, pid }
        }
        Fault::Encode(_) => TaskError::Encode,
        Fault::Decode(_) => TaskError::Decode,
    }
}

/// Says on standard error what an error has no room for.
pub(super) fn complain(what: &str, reason: &str) {
    use std::io::Write;
    // In one write, so that it stays in one piece beside what others say. If nobody listens, nothing is to be done.
    let _ = std::io::stderr().write_all(format!("psync: {what}: {reason}\n").as_bytes());
}

crate::error::umbrella!(TaskError, SubmitError);
