//! The pipe whose end is the end of a process: when its writer dies, the kernel kills everyone who hangs on it.

use super::{OsError, retry, standard};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, open},
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::{Mode, fchmod},
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The writer's side: held by the process that starts others, and by nobody else.
#[derive(Debug)]
pub(crate) struct Lifeline {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Lifeline {
    pub(crate) fn new() -> Result<Self, OsError> {
        let pipe = OsError::wrap("pipe2", nix::unistd::pipe2(OFlag::O_CLOEXEC))?;
        let (reader, writer) = standard::both_beyond(pipe)?;
        // A child may act for another user than the one that made the pipe, and has to open it. Nobody gets that far who is not
        // given the descriptor.
        OsError::wrap("fchmod", fchmod(&reader, Mode::S_IRUSR | Mode::S_IRGRP | Mode::S_IROTH))?;
        Ok(Self { reader, writer })
    }

    /// What is handed to a child, for [`hang_on`].
    pub(crate) fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The number of the descriptor that forked children must close.
    pub(crate) fn writer(&self) -> i32 {
        self.writer.as_raw_fd()
    }
}

/// A hold on somebody's lifeline: this process is killed when that one ends. Dropping it lets go.
#[derive(Debug)]
pub(crate) struct Hold {
    _own: OwnedFd,
}

/// Has the kernel send SIGKILL to this process as soon as the writer of `reader`'s pipe is gone.
///
/// Signal and owner belong to an open file description, so each process needs one of its own: the pipe is opened again.
/// `None` if the writer is gone already.
pub(crate) fn hang_on(reader: impl AsFd) -> Result<Option<Hold>, OsError> {
    watch(reader, libc::SIGKILL)
}

/// The same with a signal that this process has a handler for.
pub(crate) fn watch(reader: impl AsFd, signal: i32) -> Result<Option<Hold>, OsError> {
    let path = format!("/proc/self/fd/{}", reader.as_fd().as_raw_fd());
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let own = OsError::wrap("open(/proc/self/fd)", open(path.as_str(), flags, Mode::empty()))?;
    arm(&own, signal)?;
    // The writer may have gone before the signal was armed.
    let mut ended = [PollFd::new(own.as_fd(), PollFlags::POLLIN)];
    OsError::wrap("poll", retry(|| poll(&mut ended, PollTimeout::ZERO)))?;
    let gone = ended[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP));
    Ok((!gone).then_some(Hold { _own: own }))
}

/// The same number on every Linux; the libc crate does not have it.
const F_SETSIG: i32 = 10;

fn arm(own: &OwnedFd, signal: i32) -> Result<(), OsError> {
    control(own, libc::F_SETOWN, nix::unistd::getpid().as_raw())?;
    control(own, F_SETSIG, signal)?;
    let flags = OFlag::O_NONBLOCK | OFlag::O_ASYNC;
    OsError::wrap("fcntl(O_ASYNC)", fcntl(own, FcntlArg::F_SETFL(flags)))?;
    Ok(())
}

#[allow(unsafe_code, reason = "nix wraps neither F_SETOWN nor F_SETSIG")]
fn control(file: &OwnedFd, command: i32, value: i32) -> Result<(), OsError> {
    // SAFETY: both commands take an int and touch no memory of ours.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), command, value) };
    OsError::wrap("fcntl(F_SETSIG)", Errno::result(result).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_noticed_at_once() {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        drop(writer);
        assert!(hang_on(&reader).expect("opens").is_none());
    }

    #[test]
    fn a_whole_line_holds() {
        let line = Lifeline::new().expect("a pipe");
        assert!(hang_on(line.reader()).expect("opens").is_some());
    }
}
