//! Why a lock was not acquired.

use super::DeadlockReport;
use core::fmt;

/// Why a lock was not acquired.
///
/// # Examples
/// ```
/// use psync::{LockError, Mutex};
///
/// let mutex = Mutex::new(1);
/// let held = mutex.lock()?;
/// assert_eq!(mutex.try_lock().unwrap_err(), LockError::WouldBlock);
/// assert!(matches!(mutex.lock(), Err(LockError::Deadlock(_))));
/// # Ok::<(), LockError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum LockError {
    /// A process died or panicked while it held the lock, so what the lock protects may be half-changed. Nothing is acquired; it stays so until
    /// somebody repairs it or vouches for it.
    Poisoned {
        /// The process.
        pid: i32,
        /// What happened to it.
        cause: PoisonCause,
    },
    /// Somebody else holds the lock, and the operation does not wait.
    WouldBlock,
    /// Somebody else held the lock until the time was up.
    TimedOut,
    /// Waiting would never end: this thread holds the lock already, or whoever holds it waits, perhaps over others, for something that this thread holds.
    /// Nothing is acquired; what this thread holds, it still holds, and the others of the circle wait until it lets go.
    Deadlock(DeadlockReport),
}

/// What made the data behind a lock suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum PoisonCause {
    /// The holder was killed, or ended without releasing the lock.
    Died,
    /// The holder panicked.
    Panicked,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned { pid, cause: PoisonCause::Died } => {
                write!(f, "process {pid} died while it held the lock")
            }
            Self::Poisoned { pid, cause: PoisonCause::Panicked } => {
                write!(f, "process {pid} panicked while it held the lock")
            }
            Self::WouldBlock => f.write_str("the lock is held by somebody else"),
            Self::TimedOut => {
                f.write_str("the lock was held by somebody else until the time was up")
            }
            Self::Deadlock(report) => write!(f, "deadlock: {report}"),
        }
    }
}

impl core::error::Error for LockError {}

crate::error::umbrella!(LockError);
