//! Why a message was not sent or not received.

use crate::sync::DeadlockReport;
use core::fmt;

/// Why nothing was received.
///
/// # Examples
/// ```
/// use psync::{Queue, RecvError};
///
/// let queue = Queue::<u32>::bounded(1)?;
/// assert_eq!(queue.try_recv(), Err(RecvError::Empty));
/// queue.close();
/// assert_eq!(queue.recv(), Err(RecvError::Closed));
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum RecvError {
    /// There is no message, and the operation does not wait.
    Empty,
    /// There was no message until the time was up.
    TimedOut,
    /// It is closed, and all that was sent has been received.
    Closed,
    /// There is no message, and nobody is left who could send one.
    Disconnected,
    /// A message was received, but is no value of the type; the reason. The messages behind it are whole.
    Decode(String),
    /// The memory of the queue is damaged: a process has written there what no operation of a queue writes. What lies behind cannot be
    /// received.
    Damaged,
    /// There is no message, and there will never be one: whoever could send one waits, directly or not, for this thread. Only from operations without a timeout.
    Deadlock(DeadlockReport),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no message"),
            Self::TimedOut => f.write_str("there was no message until the time was up"),
            Self::Closed => f.write_str("the queue is closed and empty"),
            Self::Disconnected => {
                f.write_str("there is no message, and nobody is left to send one")
            }
            Self::Damaged => f.write_str("the memory of the queue is damaged"),
            Self::Decode(reason) => write!(f, "the message could not be decoded: {reason}"),
            Self::Deadlock(report) => write!(f, "there will be no message: {report}"),
        }
    }
}

impl core::error::Error for RecvError {}

/// Why a value was not sent; it gives the value back.
///
/// # Examples
/// ```
/// use psync::{Queue, SendErrorKind};
///
/// let queue = Queue::bounded(1)?;
/// queue.send("acorn".to_owned())?;
/// let error = queue.try_send("walnut".to_owned()).unwrap_err();
/// assert_eq!(error.kind(), SendErrorKind::Full);
/// assert_eq!(error.into_inner(), "walnut");
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SendError<T> {
    value: T,
    kind: SendErrorKind,
    reason: Option<Reason>,
}

/// More about what kept a value from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Text(String),
    Deadlock(DeadlockReport),
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What kept a value from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// There is no room, and the operation does not wait.
    Full,
    /// There was no room until the time was up.
    TimedOut,
    /// It is closed.
    Closed,
    /// Nobody is left who could receive it.
    Disconnected,
    /// The value could not be encoded.
    Encode,
    /// The system has no memory for it, or no descriptor.
    System,
    /// The memory of the queue is damaged: a process has written there what no operation of a queue writes.
    Damaged,
    /// There is no room, and there will never be: whoever could make some waits, directly or not, for this thread. Only from operations without a timeout.
    /// See [`SendError::deadlock`].
    Deadlock,
}

impl<T> SendError<T> {
    pub(super) const fn new(value: T, kind: SendErrorKind) -> Self {
        Self { value, kind, reason: None }
    }

    pub(super) fn because(value: T, kind: SendErrorKind, reason: impl Into<Reason>) -> Self {
        Self { value, kind, reason: Some(reason.into()) }
    }

    /// With the reason, if there is one.
    pub(super) const fn explained(value: T, kind: SendErrorKind, reason: Option<Reason>) -> Self {
        Self { value, kind, reason }
    }

    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What kept it.
    pub const fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Who waits for whom, if that is what kept it.
    pub const fn deadlock(&self) -> Option<&DeadlockReport> {
        match &self.reason {
            Some(Reason::Deadlock(report)) => Some(report),
            _ => None,
        }
    }

    /// The same error about another value.
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> SendError<U> {
        SendError { value: with(self.value), kind: self.kind, reason: self.reason }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SendErrorKind::Full => "there is no room for another message",
            SendErrorKind::TimedOut => {
                "there was no room for another message until the time was up"
            }
            SendErrorKind::Closed => "the queue is closed",
            SendErrorKind::Disconnected => "nobody is left to receive the message",
            SendErrorKind::Encode => "the message could not be encoded",
            SendErrorKind::System => "there is no memory for the message",
            SendErrorKind::Damaged => "the memory of the queue is damaged",
            SendErrorKind::Deadlock => "there will be no room for another message",
        })?;
        match &self.reason {
            Some(Reason::Text(reason)) => write!(f, ": {reason}"),
            Some(Reason::Deadlock(report)) => write!(f, ": {report}"),
            None => Ok(()),
        }
    }
}

impl<T> core::error::Error for SendError<T> {}

/// The value stays behind: only what kept it goes on.
impl<T> From<SendError<T>> for crate::Error {
    fn from(error: SendError<T>) -> Self {
        Self::new(error.map(drop))
    }
}

crate::error::umbrella!(RecvError);
