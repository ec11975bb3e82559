//! A terminal of the test's own, to see what a program shows on one.

use std::{
    fs::File,
    os::fd::{FromRawFd, OwnedFd},
};

/// Both ends of a new terminal.
#[allow(unsafe_code, reason = "the standard library has no terminals")]
pub(crate) fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let size = libc::winsize { ws_row: 24, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: writes two descriptors; a name and settings are not asked for, and `size` is read only.
    let done = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            std::ptr::null_mut(),
            std::ptr::null(),
            &raw const size,
        )
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: `openpty` has made the descriptor, and nobody else has it.
    let ours = unsafe { File::from_raw_fd(ours) };
    // SAFETY: as above.
    (ours, unsafe { OwnedFd::from_raw_fd(theirs) })
}
