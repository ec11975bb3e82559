//! What can go wrong with processes.

use super::{ExitStatus, outcome::Fault};
use crate::sys::OsError;
use core::fmt;

/// A process could not be started. Nothing was started, and nothing is left.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// An argument could not be encoded.
    Encode {
        /// Why, in the words of the argument's `Serialize`.
        reason: String,
    },
    /// The function lies in no code of the main program (but in a shared library, say), so the new process could not find it.
    UnknownFunction,
    /// The caller is a daemon, and daemons may not start processes.
    Daemon,
    /// `StartMethod::Fork` needs a caller with exactly one thread: a lock that another thread holds would stay locked for ever in the child.
    Threads {
        /// How many there are.
        count: usize,
    },
    /// As many processes as the program's table holds (4,096) are alive.
    TableFull,
    /// The supervisor did not come up: the executable is not this program any more, or the preload function failed.
    Supervisor {
        /// What it said, or how it ended.
        reason: String,
    },
    /// An option of `parallel!` leaves nobody to run it.
    Refused {
        /// Which one.
        reason: &'static str,
    },
    /// Several processes in a row died, or were killed, before they could take on the start.
    Lost,
    /// No process took on the start in time.
    TimedOut,
    /// The system refused something; see the call and the reason.
    Os(OsError),
    /// Another process, which sent this error, could not start one.
    Told {
        /// Why, in its words.
        reason: String,
    },
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode { reason } => write!(f, "cannot encode the arguments: {reason}"),
            Self::UnknownFunction => f.write_str(
                "the function is not part of the main program, so a new process cannot find it",
            ),
            Self::Daemon => {
                f.write_str("a daemon process may not start processes; start it without `daemon`")
            }
            Self::Threads { count } => write!(
                f,
                "cannot fork a process that has {count} threads; use `StartMethod::ForkServer` or `StartMethod::Spawn`"
            ),
            Self::TableFull => f.write_str(
                "4096 processes of this program are alive, which is as many as it can have",
            ),
            Self::Supervisor { reason } => write!(f, "cannot start the supervisor: {reason}"),
            Self::Refused { reason } => f.write_str(reason),
            Self::Lost => f.write_str("several processes died before they could take on the start"),
            Self::TimedOut => f.write_str("no process took on the start in time"),
            Self::Os(error) => error.fmt(f),
            Self::Told { reason } => f.write_str(reason),
        }
    }
}

/// It crosses to another process in its words: there it is [`SpawnError::Told`].
impl serde::Serialize for SpawnError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for SpawnError {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|reason| Self::Told { reason })
    }
}

impl core::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<OsError> for SpawnError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// A process ended without a result that its starter could have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProcessError {
    /// Its function panicked.
    Panicked {
        /// The panic's message; for a payload that is not text, the name of its type is all that is known.
        message: String,
        /// `file:line:column` of the panic.
        location: Option<String>,
        /// The backtrace, if `RUST_BACKTRACE` asked for one in that process.
        backtrace: Option<String>,
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether it left a core file.
        core_dumped: bool,
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// It exited by itself, without returning from its function.
    Exited {
        /// The exit code; 0 is no success here, since there is no result.
        code: i32,
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// Its arguments could not be decoded there, or its result here.
    Decode {
        /// Why, in the words of the type's `Deserialize`.
        reason: String,
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// Its result could not be encoded, or there was no memory for it.
    Encode {
        /// Why, in the words of the type's `Serialize`.
        reason: String,
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// It ran into its deadline and was ended.
    TimedOut {
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// It was ended because another branch failed.
    Cancelled {
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// It has ended, nobody knows how, and there is no result.
    Lost {
        /// The process's name.
        name: String,
        /// The process's pid.
        pid: i32,
    },
    /// It never started.
    NotStarted {
        /// Why.
        error: SpawnError,
        /// The name it would have had.
        name: String,
    },
}

impl ProcessError {
    /// The name of the process.
    pub fn name(&self) -> &str {
        match self {
            Self::Panicked { name, .. }
            | Self::Signaled { name, .. }
            | Self::Exited { name, .. }
            | Self::Decode { name, .. }
            | Self::Encode { name, .. }
            | Self::TimedOut { name, .. }
            | Self::Cancelled { name, .. }
            | Self::Lost { name, .. }
            | Self::NotStarted { name, .. } => name,
        }
    }

    /// The pid of the process; 0 if it never started.
    pub const fn pid(&self) -> i32 {
        match self {
            Self::Panicked { pid, .. }
            | Self::Signaled { pid, .. }
            | Self::Exited { pid, .. }
            | Self::Decode { pid, .. }
            | Self::Encode { pid, .. }
            | Self::TimedOut { pid, .. }
            | Self::Cancelled { pid, .. }
            | Self::Lost { pid, .. } => *pid,
            Self::NotStarted { .. } => 0,
        }
    }

    /// The error of a process that has left this instead of a result.
    pub(crate) fn from_fault(fault: Fault, name: String, pid: i32) -> Self {
        match fault {
            Fault::Panicked { message, location, backtrace } => {
                Self::Panicked { message, location, backtrace, name, pid }
            }
            Fault::Decode(reason) => Self::Decode { reason, name, pid },
            Fault::Encode(reason) => Self::Encode { reason, name, pid },
        }
    }

    /// The error of a process that ended with `status` and left nothing.
    pub(crate) fn from_status(status: ExitStatus, name: &str, pid: i32) -> Self {
        let name = name.to_owned();
        match status {
            ExitStatus::Exited { code } => Self::Exited { code, name, pid },
            ExitStatus::Signaled { signal, core_dumped } => {
                Self::Signaled { signal, core_dumped, name, pid }
            }
            ExitStatus::Unknown => Self::Lost { name, pid },
        }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::NotStarted { error, name } = self {
            return write!(f, "process `{name}` was not started: {error}");
        }
        match self.pid() {
            0 => write!(f, "process `{}` ", self.name())?,
            pid => write!(f, "process `{}` (pid {pid}) ", self.name())?,
        }
        match self {
            Self::Panicked { message, location: Some(location), .. } => {
                write!(f, "panicked at {location}: {message}")
            }
            Self::Panicked { message, .. } => write!(f, "panicked: {message}"),
            Self::Signaled { signal, core_dumped, .. } => {
                write!(
                    f,
                    "was ended by {}",
                    ExitStatus::Signaled { signal: *signal, core_dumped: *core_dumped }
                )
            }
            Self::Exited { code, .. } => write!(f, "exited with code {code} before it returned"),
            Self::Decode { reason, .. } => write!(f, "could not be understood: {reason}"),
            Self::Encode { reason, .. } => write!(f, "could not hand over its result: {reason}"),
            Self::TimedOut { .. } => f.write_str("ran into its deadline"),
            Self::Cancelled { .. } => f.write_str("was cancelled because another branch failed"),
            Self::Lost { .. } | Self::NotStarted { .. } => f.write_str("is gone without a trace"),
        }
    }
}

impl core::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NotStarted { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// One failed branch of a `parallel!`.
///
/// # Examples
/// ```
/// use psync::{parallel, process};
///
/// #[process]
/// fn leave(code: i32) {
///     std::process::exit(code);
/// }
///
/// for failure in parallel! { leave(3) }.unwrap_err().failures() {
///     println!("branch {}: {}", failure.branch, failure.error);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which branch, counted from 0 in the order written.
    pub branch: usize,
    /// Which item of a `for` branch, counted from 0.
    pub index: Option<usize>,
    /// The branch's name.
    pub name: String,
    /// What happened to its process.
    pub error: ProcessError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "branch `{}`[{index}]: {}", self.name, self.error),
            None => write!(f, "branch `{}`: {}", self.name, self.error),
        }
    }
}

/// At least one branch of a `parallel!` failed. Everything that it started has ended.
///
/// # Examples
/// ```
/// use psync::{parallel, process};
///
/// #[process]
/// fn taste(dish: &str) {
///     assert!(dish != "stew", "too much salt");
/// }
///
/// let tasted = parallel! { for dish in ["soup", "stew"] => taste(dish) };
/// let error = tasted.unwrap_err();
/// let failure = &error.failures()[0];
/// assert_eq!((failure.index, failure.name.as_str()), (Some(1), "taste"));
/// ```
#[derive(Clone, Debug)]
pub struct ParallelError {
    failures: Vec<Failure>,
}

impl ParallelError {
    pub(crate) const fn new(failures: Vec<Failure>) -> Self {
        Self { failures }
    }

    /// Every branch that failed, the first to fail first; those that were cancelled because of it follow.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

/// In one line; `{:#}` gives each of several failures a line of its own.
impl fmt::Display for ParallelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() && self.failures.len() > 1 {
            write!(f, "{} branches failed", self.failures.len())?;
            return self.failures.iter().try_for_each(|failure| write!(f, "\n  {failure}"));
        }
        for (index, failure) in self.failures.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            failure.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for ParallelError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.failures.first().map(|failure| &failure.error as _)
    }
}

crate::error::umbrella!(SpawnError, ProcessError, ParallelError);

#[cfg(test)]
mod tests {
    use super::{Failure, ParallelError, ProcessError};

    fn late(index: usize) -> Failure {
        let error = ProcessError::TimedOut { name: "cook".to_owned(), pid: 7 };
        Failure { branch: 0, index: Some(index), name: "cook".to_owned(), error }
    }

    #[test]
    fn several_failures_are_a_line_or_a_line_each() {
        let [first, second] = [0, 3]
            .map(|i| format!("branch `cook`[{i}]: process `cook` (pid 7) ran into its deadline"));
        let one = ParallelError::new(vec![late(0)]);
        assert_eq!([format!("{one}"), format!("{one:#}")], [first.clone(), first.clone()]);
        let two = ParallelError::new(vec![late(0), late(3)]);
        assert_eq!(format!("{two}"), format!("{first}; {second}"));
        let lines = format!("2 branches failed\n  {first}\n  {second}");
        assert_eq!(format!("{:?}", crate::Error::from(two)), lines);
    }
}
