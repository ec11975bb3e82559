//! Waiting for children that have ended, whatever signal it was.
#![allow(unsafe_code, reason = "nix's waitid fails for a child that a real-time signal has ended")]

use nix::{errno::Errno, libc, sys::wait::Id};
use std::os::fd::AsRawFd;

/// A child that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) pid: i32,
    pub(crate) how: How,
}

/// How a process ended, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Exited(i32),
    Signaled { signal: i32, core_dumped: bool },
}

/// A child that has ended, which stays to be waited for; `None` if there is none.
pub(crate) fn look(who: &Id<'_>) -> Option<Ended> {
    wait(who, libc::WNOWAIT)
}

/// Waits for a child that has ended; `None` if there is none.
pub(crate) fn reap(who: &Id<'_>) -> Option<Ended> {
    wait(who, 0)
}

fn wait(who: &Id<'_>, flags: libc::c_int) -> Option<Ended> {
    let (kind, number) = match who {
        Id::Pid(pid) => (libc::P_PID, pid.as_raw().cast_unsigned()),
        Id::PIDFd(descriptor) => (libc::P_PIDFD, descriptor.as_raw_fd().cast_unsigned()),
        _ => (libc::P_ALL, 0),
    };
    let flags = flags | libc::WEXITED | libc::WNOHANG;
    // SAFETY: plain numbers and addresses, for which zero is a value.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    loop {
        // SAFETY: `info` is ours for the call.
        match Errno::result(unsafe { libc::waitid(kind, number, &raw mut info, flags) }) {
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
    // SAFETY: `waitid` has filled it in for a child, or left the zeroes.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    let how = match info.si_code {
        libc::CLD_EXITED => How::Exited(status),
        code @ (libc::CLD_KILLED | libc::CLD_DUMPED) => {
            How::Signaled { signal: status, core_dumped: code == libc::CLD_DUMPED }
        }
        // Nobody has ended.
        _ => return None,
    };
    Some(Ended { pid, how })
}
