//! What can go wrong with shared memory.

use crate::sys::OsError;
use core::fmt;

/// Shared memory could not be made, or something did not lie in it.
///
/// # Examples
/// ```
/// use psync::{Shared, ShmError};
///
/// let error = Shared::<[u64]>::zeroed(usize::MAX / 8).unwrap_err();
/// assert!(error.downcast_ref::<ShmError>().is_some(), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShmError {
    /// The operating system refused.
    Os(OsError),
    /// More bytes than can be mapped, or than this machine has.
    TooLarge {
        /// How many values.
        len: usize,
        /// How many bytes each.
        each: usize,
    },
    /// A handle arrived, but not the memory that it names.
    NotFound {
        /// The number of the segment.
        segment: u64,
    },
    /// The memory holds something else than what was asked for.
    Layout {
        /// What was asked for.
        type_name: &'static str,
    },
    /// A descriptor that was received is not shared memory of this program.
    Foreign(&'static str),
    /// A reference was to be lent to another process, but does not point into shared memory.
    NotShared {
        /// What it points to.
        type_name: &'static str,
    },
}

impl fmt::Display for ShmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os(error) => write!(f, "no shared memory: {error}"),
            Self::TooLarge { len, each } => {
                write!(f, "{len} values of {each} bytes are more than this machine can share")
            }
            Self::NotFound { segment } => write!(
                f,
                "segment {segment} is not mapped in this process; send the handle through an argument, a result or a \
                 channel of psync, or keep one alive here"
            ),
            Self::Layout { type_name } => {
                write!(f, "the shared memory that was named does not hold a `{type_name}`")
            }
            Self::Foreign(reason) => {
                write!(f, "the descriptor is not shared memory of this program: {reason}")
            }
            Self::NotShared { type_name } => write!(
                f,
                "the `{type_name}` to be lent does not lie in shared memory; make it part of a `Shared`, or pass it by \
                 value"
            ),
        }
    }
}

impl core::error::Error for ShmError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<OsError> for ShmError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

/// Something is longer than the place for it. Nothing was written.
///
/// # Examples
/// ```
/// use psync::Text;
///
/// let error = "a long name".parse::<Text<4>>().unwrap_err();
/// assert_eq!((error.needed(), error.capacity()), (11, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CapacityError {
    pub(super) len: usize,
    pub(super) capacity: usize,
    pub(super) unit: Unit,
}

/// What a capacity is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Unit {
    Bytes,
    Items,
}

impl CapacityError {
    /// How long it is: bytes for a [`Text`](super::Text), items for a [`List`](super::List).
    pub const fn needed(&self) -> usize {
        self.len
    }

    /// How much there is room for.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { len, capacity, unit } = self;
        let unit = match unit {
            Unit::Bytes => "bytes",
            Unit::Items => "items",
        };
        write!(f, "{len} {unit} do not fit into a capacity of {capacity}")
    }
}

impl core::error::Error for CapacityError {}

crate::error::umbrella!(ShmError, CapacityError);
