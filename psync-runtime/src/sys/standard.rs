//! The standard descriptors.

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl, open},
    sys::stat::Mode,
};
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};

/// Puts `/dev/null` where a standard stream is closed, as std does when a program starts. Otherwise the next descriptor that
/// psync makes would take the number, and what the program prints would be written into it.
pub(crate) fn fill_gaps() {
    for number in 0..3 {
        #[allow(unsafe_code, reason = "names a standard descriptor")]
        // SAFETY: only asks whether it is open.
        let stream = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl(stream, FcntlArg::F_GETFD).is_ok() {
            continue;
        }
        // The kernel gives out the lowest free number, which is this one, unless another thread was quicker.
        match open("/dev/null", OFlag::O_RDWR, Mode::empty()) {
            Ok(null) if null.as_raw_fd() == number => {
                let _ = null.into_raw_fd();
            }
            _ => {}
        }
    }
}
