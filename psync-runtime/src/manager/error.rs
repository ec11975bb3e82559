//! What can go wrong with a manager.

use crate::{
    channel::{RecvError, SendErrorKind},
    process::SpawnError,
    sync::{AcquireError, BrokenBarrier, LockError, ReleaseError},
};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Why an operation of a manager or of a proxy failed. If not said otherwise, nothing was changed.
///
/// It can be sent, so a `#[process]` function and a managed method may return it.
#[derive(Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ManagerError {
    /// The server has ended: it was shut down, or killed. All handles of the manager report this from then on. If it was running this very call,
    /// the call may have taken effect.
    Lost {
        /// The server's pid.
        pid: i32,
    },
    /// The object is gone: nobody held it any more. That takes a handle that was on its way in a message, and whose sender has ended, for more than a minute.
    Gone,
    /// A value could not be encoded.
    Encode {
        /// Why, in the words of its `Serialize`.
        reason: String,
    },
    /// What is stored, or what the server said, is no value of the type.
    Decode {
        /// Why.
        reason: String,
    },
    /// There is no element at the index.
    OutOfRange {
        /// The index.
        index: usize,
        /// How many elements there are.
        len: usize,
    },
    /// A namespace has a value of another type under the name.
    WrongType,
    /// A function that the server ran for this call panicked.
    Panicked {
        /// The panic's message.
        message: String,
        /// `file:line:column` of the panic.
        location: Option<String>,
    },
    /// A method that had the object to itself panicked, in an earlier call, and may have left it half-way changed.
    Poisoned,
    /// A function that the server runs on an object has called this very object.
    Reentered,
    /// A function lies in no code of the main program (but in a shared library, say), so the server cannot find it.
    UnknownFunction,
    /// A lock could not be taken.
    NotLocked(LockError),
    /// A permit could not be had.
    NotAcquired(AcquireError),
    /// More permits were released than the semaphore is for.
    NotReleased(ReleaseError),
    /// A barrier is broken.
    Broken(BrokenBarrier),
    /// Nothing was received.
    NotReceived(RecvError),
    /// Nothing was sent.
    NotSent(SendErrorKind),
    /// The other side does not know the key, or says that this one does not.
    Refused,
    /// The other side is gone.
    Disconnected,
    /// The manager has as many connections of other programs as it takes. Those that are there go on, and others may be taken later.
    Crowded,
    /// It took too long.
    TimedOut,
    /// What came is nothing that the other side may send.
    Protocol {
        /// What is wrong about it.
        reason: Cow<'static, str>,
    },
    /// It is no address.
    Address {
        /// Why.
        reason: String,
    },
    /// The manager is in another program, where this does not reach: functions, and handles of shared memory.
    Elsewhere,
    /// The server could not be started.
    NotStarted(SpawnError),
    /// The system refused something.
    System {
        /// What, and why.
        reason: String,
    },
}

impl fmt::Display for ManagerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { pid } => write!(f, "the manager's server, process {pid}, has ended"),
            Self::Gone => f.write_str("the object is gone, since nobody held it any more"),
            Self::Encode { reason } => write!(f, "cannot encode the value: {reason}"),
            Self::Decode { reason } => write!(f, "cannot decode the value: {reason}"),
            Self::OutOfRange { index, len } => {
                write!(f, "there is no element {index}, since there are {len}")
            }
            Self::WrongType => f.write_str("the value of that name is of another type"),
            Self::Panicked { message, location: Some(location) } => {
                write!(f, "a function panicked in the manager's server at {location}: {message}")
            }
            Self::Panicked { message, location: None } => {
                write!(f, "a function panicked in the manager's server: {message}")
            }
            Self::Poisoned => {
                f.write_str("a method panicked while it had the object to itself, in an earlier call")
            }
            Self::Reentered => f.write_str("a function has called the object that it runs on"),
            Self::UnknownFunction => f.write_str(
                "the function is not part of the main program, so the manager's server cannot find it",
            ),
            Self::NotLocked(error) => error.fmt(f),
            Self::NotAcquired(error) => error.fmt(f),
            Self::NotReleased(error) => error.fmt(f),
            Self::Broken(error) => error.fmt(f),
            Self::NotReceived(error) => error.fmt(f),
            Self::NotSent(kind) => write!(f, "the message was not sent: {kind:?}"),
            Self::NotStarted(error) => write!(f, "cannot start the manager's server: {error}"),
            Self::Elsewhere => f.write_str(
                "functions and handles do not reach to the manager of another program",
            ),
            Self::Refused => f.write_str("the two sides do not have the same key"),
            Self::Disconnected => f.write_str("the other side is gone"),
            Self::Crowded => f.write_str("the manager takes no more connections for now"),
            Self::TimedOut => f.write_str("it took too long"),
            Self::Protocol { reason } => f.write_str(reason),
            Self::Address { reason } => write!(f, "it is no address: {reason}"),
            Self::System { reason } => f.write_str(reason),
        }
    }
}

impl core::error::Error for ManagerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NotLocked(error) => Some(error),
            Self::NotAcquired(error) => Some(error),
            Self::NotReleased(error) => Some(error),
            Self::Broken(error) => Some(error),
            Self::NotReceived(error) => Some(error),
            Self::NotStarted(error) => Some(error),
            _ => None,
        }
    }
}

crate::error::umbrella!(ManagerError);

macro_rules! wraps {
    ($($variant:ident($error:ty)),+) => {$(
        impl From<$error> for ManagerError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
wraps!(
    NotLocked(LockError),
    NotAcquired(AcquireError),
    NotReleased(ReleaseError),
    Broken(BrokenBarrier),
    NotReceived(RecvError),
    NotSent(SendErrorKind),
    NotStarted(SpawnError)
);

impl ManagerError {
    /// What came is nothing that the other side may send.
    pub(super) const fn protocol(reason: &'static str) -> Self {
        Self::Protocol { reason: Cow::Borrowed(reason) }
    }

    /// What the system refused, from an error of the layers below.
    pub(super) fn system(error: &crate::Error) -> Self {
        Self::System { reason: error.to_string() }
    }
}

/// Why the server did not do what a call asked for, as it goes over the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fault {
    Gone,
    Encode(String),
    Decode(String),
    OutOfRange { index: u64, len: u64 },
    WrongType,
    Panicked { message: String, location: Option<String> },
    Poisoned,
    Reentered,
    UnknownFunction,
    Elsewhere,
    Crowded,
    System(String),
}

impl From<Fault> for ManagerError {
    fn from(fault: Fault) -> Self {
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        match fault {
            Fault::Gone => Self::Gone,
            Fault::Encode(reason) => Self::Encode { reason },
            Fault::Decode(reason) => Self::Decode { reason },
            Fault::OutOfRange { index, len } => {
                Self::OutOfRange { index: number(index), len: number(len) }
            }
            Fault::WrongType => Self::WrongType,
            Fault::Panicked { message, location } => Self::Panicked { message, location },
            Fault::Poisoned => Self::Poisoned,
            Fault::Reentered => Self::Reentered,
            Fault::UnknownFunction => Self::UnknownFunction,
            Fault::Elsewhere => Self::Elsewhere,
            Fault::Crowded => Self::Crowded,
            Fault::System(reason) => Self::System { reason },
        }
    }
}
