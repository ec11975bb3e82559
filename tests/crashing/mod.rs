//! The ways in which a worker can come to its end, and the values that bring it there when they are encoded or decoded.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(unsafe_code, reason = "processes that crash")]
#![allow(clippy::disallowed_methods, reason = "processes that exit")]

use psync::pool::TaskError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::killing::{own_pid, signal};

/// How many bytes beyond what it starts with a worker of these tests may allocate.
pub(crate) const MEMORY: u64 = 64 << 20;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Kill,
    Segfault,
    Abort,
    Exit0,
    Exit1,
    Panic,
    PanicTwice,
    StackOverflow,
    OutOfMemory,
    /// The argument's `Deserialize` refuses.
    DecodeArgument,
    /// The result's `Serialize` refuses.
    EncodeResult,
    /// The result's `Deserialize` refuses, in the process that submitted the task.
    DecodeResult,
}

impl Kind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Kill,
        Self::Segfault,
        Self::Abort,
        Self::Exit0,
        Self::Exit1,
        Self::Panic,
        Self::PanicTwice,
        Self::StackOverflow,
        Self::OutOfMemory,
        Self::DecodeArgument,
        Self::EncodeResult,
        Self::DecodeResult,
    ];

    /// Whether it can happen anywhere in a worker.
    pub(crate) fn is_anywhere(self) -> bool {
        !matches!(self, Self::DecodeArgument | Self::EncodeResult | Self::DecodeResult)
    }

    /// Whether it costs the worker.
    pub(crate) fn is_loss(self) -> bool {
        self.is_anywhere() && self != Self::Panic
    }

    /// Whether it is what the words tell, as somebody reads them.
    fn told_in(self, words: &str) -> bool {
        let marks: &[&str] = match self {
            Self::Kill => &["SIGKILL"],
            Self::Segfault => &["SIGSEGV"],
            Self::Abort | Self::PanicTwice | Self::OutOfMemory => &["SIGABRT"],
            // The guard page is not told from any other where nobody has asked to be.
            Self::StackOverflow => &["SIGABRT", "SIGSEGV"],
            Self::Exit0 => &["exit code 0"],
            Self::Exit1 => &["exit code 1"],
            Self::Panic | Self::DecodeArgument => &[WORDS],
            Self::EncodeResult | Self::DecodeResult => return true,
        };
        marks.iter().any(|mark| words.contains(mark))
    }

    /// The error of a task to which this happened, in every detail.
    pub(crate) fn check(self, error: &TaskError) -> Result<(), String> {
        let says = error.to_string();
        let fits = match error {
            TaskError::WorkerLost { pid, cause } => {
                self.is_loss()
                    && *pid > 1
                    && self.told_in(&cause.to_string())
                    && says.contains(&pid.to_string())
                    && says.contains(&cause.to_string())
            }
            TaskError::Panicked { message, location, pid, .. } => {
                self == Self::Panic
                    && *pid > 1
                    && message == WORDS
                    && location.as_ref().is_some_and(|place| place.starts_with(file!()))
                    && says.contains(WORDS)
            }
            TaskError::Encode => self == Self::EncodeResult && says.contains("encode"),
            TaskError::Decode => {
                matches!(self, Self::DecodeArgument | Self::DecodeResult) && says.contains("decode")
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("{self:?} is reported as {error:?}: {says}")) }
    }

    /// The error of a pool to whose initialiser this happened.
    pub(crate) fn check_initializer(self, error: &TaskError) -> Result<(), String> {
        let says = error.to_string();
        match error {
            TaskError::Initializer(why) if self.told_in(why) && says.contains(why) => Ok(()),
            _ => Err(format!("{self:?} in the initialiser is reported as {error:?}: {says}")),
        }
    }
}

/// What is said where there are words.
const WORDS: &str = "as this test wants it";

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("{WORDS}");
    }
}

#[allow(unconditional_recursion, reason = "that is what it is for")]
fn dig(deep: &mut [u8; 4096]) -> u8 {
    let mut next = [deep[0].wrapping_add(1); 4096];
    dig(std::hint::black_box(&mut next)).wrapping_add(next[1])
}

/// Makes it happen to this process.
pub(crate) fn crash(kind: Kind) {
    match kind {
        Kind::Kill => signal(own_pid(), libc::SIGKILL),
        // SAFETY: nothing is mapped at this address, which ends the process.
        Kind::Segfault => unsafe { core::ptr::without_provenance_mut::<u8>(64).write_volatile(1) },
        Kind::Abort => std::process::abort(),
        Kind::Exit0 => std::process::exit(0),
        Kind::Exit1 => std::process::exit(1),
        Kind::Panic => panic!("{WORDS}"),
        Kind::PanicTwice => {
            let _again = PanicsWhenDropped;
            panic!("{WORDS}");
        }
        Kind::StackOverflow => drop(Box::new(dig(&mut [0; 4096]))),
        Kind::OutOfMemory => loop {
            let piece = vec![1_u8; 8 << 20];
            std::mem::forget(std::hint::black_box(piece));
        },
        Kind::DecodeArgument | Kind::EncodeResult | Kind::DecodeResult => {}
    }
}

/// An argument: what happens while it is decoded, and while its task runs, to end in a result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    pub(crate) when_decoded: Option<Kind>,
    pub(crate) in_task: Option<Kind>,
    pub(crate) when_encoded: Option<Kind>,
}

type Wire = [Option<Kind>; 3];

impl Serialize for Orders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.when_decoded, self.in_task, self.when_encoded].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Orders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [when_decoded, in_task, when_encoded] = Wire::deserialize(deserializer)?;
        match when_decoded {
            Some(Kind::DecodeArgument) => return Err(de::Error::custom(WORDS)),
            Some(kind) => crash(kind),
            None => {}
        }
        Ok(Self { when_decoded, in_task, when_encoded })
    }
}

/// A result: what happens while it is encoded, or decoded.
#[derive(Debug)]
pub(crate) struct Report(Option<Kind>);

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Kind::EncodeResult) => return Err(ser::Error::custom(WORDS)),
            Some(kind) => crash(kind),
            None => {}
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<Kind>::deserialize(deserializer)? {
            Some(Kind::DecodeResult) => Err(de::Error::custom(WORDS)),
            kind => Ok(Self(kind)),
        }
    }
}

/// The task that follows its orders.
pub(crate) fn follow(Orders { in_task, when_encoded, .. }: Orders) -> Report {
    if let Some(kind) = in_task {
        crash(kind);
    }
    Report(when_encoded)
}
