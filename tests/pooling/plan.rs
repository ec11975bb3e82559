//! Random jobs, and the ends that each of them may come to.

use psync::{pool::TaskError, prelude::*};
use serde::{Deserialize, Serialize, Serializer, ser};
use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use crate::killing::{Random, kill, own_pid, spin};

/// As many jobs as a plan has at most.
pub(crate) const JOBS: usize = 64;

/// How often each job has begun.
#[shared]
pub(crate) struct Ledger {
    pub(crate) begun: [AtomicU32; JOBS],
}

/// One that all processes have without a handle, so that tasks travel in batches.
#[shared]
pub(crate) static LEDGER: Ledger = Ledger { begun: [const { AtomicU32::new(0) }; JOBS] };

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Job {
    Return,
    Spin(u64),
    Large(usize),
    Panic,
    Exit(i32),
    Die,
    Refuse,
    /// Runs until somebody ends it.
    Endless,
}

/// What a task returns: its number, and something of a size.
#[derive(Deserialize)]
pub(crate) enum Answer {
    Number(usize),
    Large(usize, Vec<u8>),
    Refused,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => {
                serializer.serialize_newtype_variant("Answer", 0, "Number", number)
            }
            Self::Large(number, bytes) => {
                use ser::SerializeTupleVariant as _;
                let mut fields = serializer.serialize_tuple_variant("Answer", 1, "Large", 2)?;
                fields.serialize_field(number)?;
                fields.serialize_field(bytes)?;
                fields.end()
            }
            Self::Refused => Err(ser::Error::custom("it is not told")),
        }
    }
}

/// Without what is large.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "Number({number})"),
            Self::Large(number, bytes) => write!(f, "Large({number}, {} bytes)", bytes.len()),
            Self::Refused => f.write_str("Refused"),
        }
    }
}

impl Answer {
    /// Which job it comes from, if it is whole.
    pub(crate) fn number(&self) -> Option<usize> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Large(number, bytes) => {
                let expected = u8::try_from(*number).ok()?;
                bytes.iter().all(|byte| *byte == expected).then_some(*number)
            }
            Self::Refused => None,
        }
    }
}

/// Where to note that it has begun, and which job it is.
pub(crate) type Argument = (Option<Shared<Ledger>>, usize, Job);

/// The task.
pub(crate) fn work((ledger, number, job): Argument) -> Answer {
    let ledger: &Ledger = ledger.as_deref().unwrap_or(&LEDGER);
    ledger.begun[number].fetch_add(1, SeqCst);
    match job {
        Job::Return => {}
        Job::Spin(micros) => spin(Duration::from_micros(micros)),
        Job::Large(len) => {
            let byte = u8::try_from(number).expect("few jobs");
            return Answer::Large(number, vec![byte; len]);
        }
        Job::Panic => panic!("job {number}"),
        #[allow(clippy::disallowed_methods, reason = "that is the job")]
        Job::Exit(code) => std::process::exit(code),
        Job::Die => kill(own_pid()),
        Job::Refuse => return Answer::Refused,
        Job::Endless => loop {
            std::thread::park();
        },
    }
    Answer::Number(number)
}

impl Job {
    /// Any job that ends, most of them well.
    pub(crate) fn random(random: &mut Random) -> Self {
        match random.below(24) {
            0..12 => Self::Return,
            12..17 => Self::Spin(random.below(2_000)),
            17 | 18 => Self::Large(usize::try_from(random.below(300_000)).unwrap_or(0)),
            19 => Self::Panic,
            20 => Self::Exit(i32::from(random.below(2) == 0)),
            21 => Self::Die,
            22 => Self::Refuse,
            _ => Self::Spin(0),
        }
    }

    /// Whether it returns if nobody disturbs it.
    pub(crate) fn is_well(self) -> bool {
        matches!(self, Self::Return | Self::Spin(_) | Self::Large(_))
    }

    /// Whether it may come to this end if nobody disturbs it.
    pub(crate) fn may_end(self, number: usize, result: &Result<Answer, TaskError>) -> bool {
        match (self, result) {
            (Self::Return | Self::Spin(_), Ok(answer)) => answer.number() == Some(number),
            (Self::Large(len), Ok(answer @ Answer::Large(_, bytes))) => {
                bytes.len() == len && answer.number() == Some(number)
            }
            (_, Err(error)) => self.may_fail(number, error),
            _ => false,
        }
    }

    /// The same of its failures.
    pub(crate) fn may_fail(self, number: usize, error: &TaskError) -> bool {
        match (self, error) {
            (Self::Panic, TaskError::Panicked { message, .. }) => {
                *message == format!("job {number}")
            }
            (Self::Exit(code), TaskError::WorkerLost { cause, .. }) => cause.code() == Some(code),
            (Self::Die, TaskError::WorkerLost { cause, .. }) => {
                cause.signal() == Some(libc::SIGKILL)
            }
            (Self::Refuse, TaskError::Encode) | (Self::Endless, TaskError::TimedOut) => true,
            _ => false,
        }
    }
}
