//! The three standard descriptors, which must be nobody's but the user's.
#![allow(unsafe_code, reason = "nix hands duplicated descriptors out as numbers")]

use super::OsError;
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl, open},
    sys::stat::Mode,
};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

const FIRST_FREE: i32 = 3;

/// The same file under a number beyond the standard ones.
///
/// A program may close its standard descriptors. What is opened next gets their numbers, and then whatever the program prints: that
/// must not be a segment of ours.
pub(crate) fn beyond(file: OwnedFd) -> Result<OwnedFd, OsError> {
    if file.as_raw_fd() >= FIRST_FREE {
        return Ok(file);
    }
    let copy =
        OsError::wrap("fcntl(F_DUPFD)", fcntl(&file, FcntlArg::F_DUPFD_CLOEXEC(FIRST_FREE)))?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Two of them.
pub(crate) fn both_beyond((a, b): (OwnedFd, OwnedFd)) -> Result<(OwnedFd, OwnedFd), OsError> {
    Ok((beyond(a)?, beyond(b)?))
}

/// Opens `/dev/null` for each standard descriptor that is closed, as std does before `main`.
pub(crate) fn fill() -> Result<(), OsError> {
    for number in 0..FIRST_FREE {
        // SAFETY: only asks whether there is such a descriptor.
        let standard = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl(standard, FcntlArg::F_GETFD).is_err() {
            // It gets the lowest free number, which is this one, and stays for good.
            let _ =
                OsError::wrap("open(/dev/null)", open("/dev/null", OFlag::O_RDWR, Mode::empty()))?
                    .into_raw_fd();
        }
    }
    Ok(())
}
