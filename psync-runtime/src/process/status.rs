//! How a process ended.

use crate::{shm::world::Status, sys::waiting::How};
use core::fmt;

/// How a process ended.
///
/// # Examples
/// ```
/// use psync::ExitStatus;
///
/// let status = ExitStatus::Signaled { signal: 9, core_dumped: false };
/// assert_eq!(status.signal(), Some(9));
/// assert!(!status.success());
/// assert_eq!(status.to_string(), "signal 9 (SIGKILL)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitStatus {
    /// It exited with a code: 0 after its function returned, 101 after a panic, or whatever it passed to `exit`.
    Exited {
        /// The code, 0 to 255.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether it left a core file.
        core_dumped: bool,
    },
    /// It has ended, but nobody is left who knows how: the supervisor was killed, or another part of the program
    /// waited for it.
    Unknown,
}

impl ExitStatus {
    /// The exit code, if it exited.
    ///
    /// # Examples
    /// ```
    /// let exits: fn(()) = |()| std::process::exit(3);
    /// let process = psync::spawn(exits, ())?;
    /// assert_eq!(process.wait().code(), Some(3));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub const fn code(&self) -> Option<i32> {
        match *self {
            Self::Exited { code } => Some(code),
            _ => None,
        }
    }

    /// The signal, if one ended it.
    pub const fn signal(&self) -> Option<i32> {
        match *self {
            Self::Signaled { signal, .. } => Some(signal),
            _ => None,
        }
    }

    /// Whether it exited with code 0.
    pub const fn success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }

    pub(crate) const fn from_word(status: Status) -> Self {
        match status.parts() {
            (1, code, _) => Self::Exited { code },
            (2, signal, core_dumped) => Self::Signaled { signal, core_dumped },
            _ => Self::Unknown,
        }
    }
}

/// What the kernel tells, as a word of the process table.
pub(crate) fn to_word(how: How) -> Status {
    match how {
        How::Exited(code) => Status::exited(code),
        How::Signaled { signal, core_dumped } => Status::signaled(signal, core_dumped),
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited { code } => write!(f, "exit code {code}"),
            Self::Signaled { signal, core_dumped } => {
                match nix::sys::signal::Signal::try_from(signal) {
                    Ok(name) => write!(f, "signal {signal} ({name})")?,
                    Err(_) => write!(f, "signal {signal}")?,
                }
                f.write_str(if core_dumped { ", core dumped" } else { "" })
            }
            Self::Unknown => f.write_str("unknown status"),
        }
    }
}
