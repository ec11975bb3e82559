//! What the log needs of the file that it lies in.

use crate::sys::OsError;
use core::ptr::NonNull;

/// The file behind a queue, as this process sees it.
pub(crate) trait Memory {
    /// The address of a place in the log, mapped to the end of its chunk until the next call.
    fn at(&mut self, place: u64) -> Result<NonNull<u8>, OsError>;
    /// The same, for writing there.
    #[inline]
    fn at_to_write(&mut self, place: u64) -> Result<NonNull<u8>, OsError> {
        self.at(place)
    }
    /// Makes a part of the file writable for certain.
    fn reserve(&self, place: u64, len: u64) -> Result<(), OsError>;
    /// Gives the memory of a part back.
    fn punch(&self, place: u64, len: u64);
    /// Writes to a part that is not mapped.
    fn write(&self, place: u64, parts: &[&[u8]]) -> Result<(), OsError>;
}

/// Where the system's reason for a refusal is left. As an error: none, if what lies there is no queue.
pub(crate) type Reason = Option<OsError>;
