//! The standard streams of a new process.

use super::{Stdio, handle::Streams, options::StdioKind};
use crate::sys::{OsError, standard};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A standard stream of the new process.
pub(crate) enum Stream {
    Ours(BorrowedFd<'static>),
    New(OwnedFd),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Ours(fd) => *fd,
            Self::New(fd) => fd.as_fd(),
        }
    }
}

/// The new process's streams (`None`: closed here as well), and our ends of those that are pipes.
pub(crate) fn open(stdio: [Stdio; 3]) -> Result<([Option<Stream>; 3], Streams), OsError> {
    let (mut theirs, mut ours) = ([const { None }; 3], Streams::default());
    for (number, stdio) in stdio.into_iter().enumerate() {
        theirs[number] = match stdio.0 {
            StdioKind::Inherit => own_stream(number),
            StdioKind::Given(fd) => Some(Stream::New(fd)),
            StdioKind::Null => {
                let null = nix::fcntl::open(
                    "/dev/null",
                    OFlag::O_RDWR | OFlag::O_CLOEXEC,
                    nix::sys::stat::Mode::empty(),
                );
                Some(Stream::New(OsError::wrap("open(/dev/null)", null)?))
            }
            StdioKind::Piped => {
                let pipe = OsError::wrap("pipe2", nix::unistd::pipe2(OFlag::O_CLOEXEC))?;
                let (reader, writer) = standard::both_beyond(pipe)?;
                let (their, our) = if number == 0 { (reader, writer) } else { (writer, reader) };
                ours.0[number] = Some(our);
                Some(Stream::New(their))
            }
        };
    }
    Ok((theirs, ours))
}

#[allow(unsafe_code, reason = "names a standard descriptor")]
fn own_stream(number: usize) -> Option<Stream> {
    // SAFETY: the standard descriptors are not owned by any value that could close them behind our back; if the program
    // closes one all the same, the start fails with EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(i32::try_from(number).ok()?) };
    fcntl(fd, FcntlArg::F_GETFD).is_ok().then_some(Stream::Ours(fd))
}
