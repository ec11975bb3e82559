//! Executing a program with chosen descriptors, without copying this process first.

use super::OsError;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::signal::SigSet,
};
use std::{
    ffi::{CStr, CString, OsStr},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

/// Where the descriptors handed to a new program begin.
pub(crate) const FIRST: i32 = 3;

/// Executes `program` with this process's arguments and the given environment; `descriptors` become [`FIRST`], [`FIRST`] + 1, ..;
/// the signals in `defaults` lose their meaning in this process.
pub(crate) fn spawn(
    program: &CStr,
    environment: &[CString],
    descriptors: &[BorrowedFd<'_>],
    defaults: &SigSet,
) -> Result<i32, OsError> {
    let sources = descriptors
        .iter()
        .map(|fd| above(*fd, descriptors.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut actions = wrap(PosixSpawnFileActions::init())?;
    for (target, source) in (FIRST..).zip(&sources) {
        wrap(actions.add_dup2(source.as_raw_fd(), target))?;
    }
    let mut attributes = wrap(PosixSpawnAttr::init())?;
    wrap(attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF))?;
    wrap(attributes.set_sigdefault(defaults))?;
    let arguments: Vec<CString> =
        std::env::args_os().filter_map(|argument| CString::new(argument.as_bytes()).ok()).collect();
    let pid = posix_spawn(program, &actions, &attributes, &arguments, environment);
    wrap(pid).map(nix::unistd::Pid::as_raw)
}

fn wrap<T>(result: nix::Result<T>) -> Result<T, OsError> {
    OsError::wrap("posix_spawn", result)
}

/// A copy of the descriptor beyond all targets, so that no `dup2` overwrites a source that is still needed.
fn above(fd: BorrowedFd<'_>, count: usize) -> Result<OwnedFd, OsError> {
    let lowest = FIRST + i32::try_from(count).unwrap_or(0);
    let copy = OsError::wrap("fcntl(F_DUPFD)", fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(lowest)))?;
    #[allow(unsafe_code, reason = "nix returns the new descriptor as a number")]
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// This process's environment as `execve` wants it, with one variable added.
pub(crate) fn environment_with(name: &str, value: &str) -> Vec<CString> {
    let own = std::env::vars_os().filter_map(|(key, value)| assignment(&key, &value));
    own.chain(assignment(OsStr::new(name), OsStr::new(value))).collect()
}

/// `NAME=VALUE`; `None` if either has a NUL byte in it, which cannot be passed on.
pub(crate) fn assignment(name: &OsStr, value: &OsStr) -> Option<CString> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    CString::new(bytes).ok()
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: i32) {
    #[allow(unsafe_code, reason = "nix has no close_range")]
    // SAFETY: called before anything in this process owns a descriptor in that range.
    unsafe {
        nix::libc::syscall(nix::libc::SYS_close_range, first, i32::MAX, 0);
    }
}

/// Takes over a descriptor that was passed through [`spawn`], and keeps it out of later programs.
pub(crate) fn inherited(number: i32) -> Result<OwnedFd, OsError> {
    #[allow(unsafe_code, reason = "a number from the protocol between us and ourselves")]
    // SAFETY: the caller takes each number once, and nothing else in this process has been told of it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    match fcntl(fd.as_fd(), FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC)) {
        Ok(_) => Ok(fd),
        Err(errno) => {
            // There is no such descriptor, so there is nothing to close.
            core::mem::forget(fd);
            Err(OsError::new("fcntl", Errno::from_raw(errno as i32)))
        }
    }
}
