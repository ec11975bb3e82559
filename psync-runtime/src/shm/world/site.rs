//! What a blocked call says of itself: what it does, to which type, in which line.

use crate::sys::image;
use core::panic::Location;

/// What a blocked thread is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Operation {
    Lock = 1,
    Read = 2,
    Write = 3,
    Acquire = 4,
    Wait = 5,
    Cross = 6,
    Initialize = 7,
    Join = 8,
    #[default]
    Other = 9,
    /// For room in a queue.
    Send = 10,
    /// For a message.
    Receive = 11,
    /// For the jobs of a work queue to be done.
    Finish = 12,
}

impl Operation {
    /// From the low byte of a record's kind.
    pub(super) const fn from_kind(kind: u32) -> Self {
        match kind & 0xff {
            1 => Self::Lock,
            2 => Self::Read,
            3 => Self::Write,
            4 => Self::Acquire,
            5 => Self::Wait,
            6 => Self::Cross,
            7 => Self::Initialize,
            8 => Self::Join,
            10 => Self::Send,
            11 => Self::Receive,
            12 => Self::Finish,
            _ => Self::Other,
        }
    }

    /// Which thread of a circle is told: the lower the better, and the same for those that it makes no difference to. `None` if the operation has no error for it.
    pub(super) const fn rank(self) -> Option<u32> {
        match self {
            Self::Join | Self::Wait => None,
            // It panics.
            Self::Finish => Some(1),
            _ => Some(0),
        }
    }
}

/// A call that blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) operation: Operation,
    /// The type.
    pub(crate) what: &'static str,
    pub(crate) place: &'static Location<'static>,
}

impl Site {
    /// The caller's line, where it waits for a `T`.
    #[track_caller]
    #[inline]
    pub(crate) fn here<T: ?Sized>(operation: Operation) -> Self {
        Self { operation, what: core::any::type_name::<T>(), place: Location::caller() }
    }
}

const OFFSET_BITS: u32 = 44;

/// A text of the program, which has its place in every process's image: offset and length.
pub(super) fn constant(text: &str) -> u64 {
    let offset = image::main_program().and_then(|image| image.offset_of_text(text));
    let len = text.len() as u64;
    offset.filter(|offset| offset >> OFFSET_BITS == 0).map_or(0, |o| len << OFFSET_BITS | o)
}

pub(super) fn text(constant: u64) -> String {
    let (len, offset) = (constant >> OFFSET_BITS, constant & ((1 << OFFSET_BITS) - 1));
    let bytes = image::main_program().and_then(|image| image.constant(offset, len));
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
