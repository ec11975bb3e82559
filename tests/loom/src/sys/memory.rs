//! What a file is asked for that is not mapped.

use super::OsError;
use crate::shm::Segment;

/// See the runtime's.
#[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
pub(crate) fn reserve(file: &Segment, start: u64, len: u64) -> Result<(), OsError> {
    file.reserve(start, len);
    Ok(())
}

/// See the runtime's.
#[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
pub(crate) fn punch(file: &Segment, start: u64, len: u64) -> Result<(), OsError> {
    file.punch(start, len);
    Ok(())
}

/// See the runtime's.
#[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
pub(crate) fn write_at(file: &Segment, start: u64, bytes: &[u8]) -> Result<(), OsError> {
    file.write(start, bytes);
    Ok(())
}

/// See the runtime's.
#[allow(clippy::unnecessary_wraps, reason = "as in the runtime")]
pub(crate) fn read_at(file: &Segment, start: u64, len: usize) -> Result<Vec<u8>, OsError> {
    Ok(file.read(start, len))
}

/// See the runtime's.
pub(crate) fn read_claimed(file: &Segment, start: u64, len: u64) -> Result<Vec<u8>, OsError> {
    read_at(file, start, usize::try_from(len).expect("short"))
}
