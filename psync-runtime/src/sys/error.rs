//! An error of the operating system that names the call it came from.

use core::fmt;
use nix::errno::Errno;

/// A system call failed.
///
/// `Display` names the call and the kernel's reason; [`OsError::hint`] adds what can be done where that is known.
///
/// # Examples
/// ```
/// use psync::{OsError, Shared, ShmError};
///
/// // More than any machine has.
/// let error = Shared::<[u8]>::zeroed(1 << 55).unwrap_err();
/// if let Some(ShmError::Os(error)) = error.downcast_ref::<ShmError>() {
///     println!("{} failed: error {}; {}", error.call(), error.raw_os_error(), error.hint().unwrap_or(""));
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OsError {
    call: &'static str,
    errno: Errno,
}

impl OsError {
    pub(crate) const fn new(call: &'static str, errno: Errno) -> Self {
        Self { call, errno }
    }

    /// The error that the last system call of this thread left.
    pub(crate) fn last(call: &'static str) -> Self {
        Self::new(call, Errno::last())
    }

    /// Turns a nix result into one that names its call.
    pub(crate) fn wrap<T>(call: &'static str, result: nix::Result<T>) -> Result<T, Self> {
        result.map_err(|errno| Self::new(call, errno))
    }

    /// The system call that failed.
    pub const fn call(&self) -> &'static str {
        self.call
    }

    /// The kernel's error number.
    pub const fn raw_os_error(&self) -> i32 {
        self.errno as i32
    }

    /// What can be done about it, for the limits that users run into.
    pub const fn hint(&self) -> Option<&'static str> {
        match self.errno {
            Errno::EMFILE => Some("this process is out of descriptors; raise RLIMIT_NOFILE"),
            Errno::ENFILE => Some("the system is out of descriptors; raise fs.file-max"),
            Errno::EAGAIN => Some(
                "out of processes or threads; raise RLIMIT_NPROC or the pids limit of the cgroup",
            ),
            Errno::EFBIG => Some("larger than a file may be; raise RLIMIT_FSIZE"),
            Errno::ENOMEM => {
                Some("out of memory; raise RLIMIT_AS or the memory limit of the cgroup")
            }
            _ => None,
        }
    }
}

impl fmt::Debug for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OsError({}: {})", self.call, self.errno)
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.call, self.errno.desc())?;
        match self.hint() {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for OsError {}

impl From<OsError> for std::io::Error {
    fn from(error: OsError) -> Self {
        Self::from_raw_os_error(error.raw_os_error())
    }
}

crate::error::umbrella!(OsError);
