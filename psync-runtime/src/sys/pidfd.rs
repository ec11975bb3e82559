//! Handles of processes that cannot come to mean another one.
#![allow(unsafe_code, reason = "nix has no pidfd calls")]

use super::{
    OsError,
    clock::Deadline,
    standard,
    waiting::{self, How},
};
use nix::{
    errno::Errno,
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
    sys::wait::Id,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Lets other processes of the same user [copy](PidFd::copy) this one's descriptors where the system would let only its ancestors.
pub(crate) fn allow_copies() {
    const SET_PTRACER: libc::c_int = 0x5961_6d61;
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: takes numbers; systems without the restriction do not know the call.
    ONCE.call_once(|| unsafe {
        libc::prctl(SET_PTRACER, libc::c_ulong::MAX);
    });
}

/// A process.
#[derive(Debug)]
pub(crate) struct PidFd {
    descriptor: OwnedFd,
    /// It was gone before it could be opened: the descriptor only looks like one of a process that has ended.
    ended: bool,
}

impl PidFd {
    /// The process that has the pid now. The caller makes sure that it is the one that was meant.
    pub(crate) fn open(pid: i32) -> Result<Self, OsError> {
        // SAFETY: takes two numbers.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = i32::try_from(result)
            .ok()
            .filter(|&fd| fd >= 0)
            .ok_or_else(|| OsError::last("pidfd_open"))?;
        // SAFETY: the kernel has just made this descriptor for us.
        let descriptor = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { descriptor: standard::beyond(descriptor)?, ended: false })
    }

    /// A process that is gone already: readable, and nothing to send signals to.
    pub(crate) fn ended() -> Result<Self, OsError> {
        let event = EventFd::from_value_and_flags(1, EfdFlags::EFD_CLOEXEC);
        let descriptor = standard::beyond(OsError::wrap("eventfd", event)?.into())?;
        Ok(Self { descriptor, ended: true })
    }

    /// Sends a signal. Success if the process has ended already.
    pub(crate) fn signal(&self, signal: i32) -> Result<(), OsError> {
        if self.ended {
            return Ok(());
        }
        let none = core::ptr::null::<libc::siginfo_t>();
        // SAFETY: a null siginfo is allowed and means "as kill does".
        let result = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.descriptor.as_raw_fd(), signal, none, 0)
        };
        match Errno::result(result) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(OsError::new("pidfd_send_signal", errno)),
        }
    }

    /// A copy of what the process has open under a number. The system allows this among processes that may trace each other.
    pub(crate) fn copy(&self, descriptor: i32) -> Result<OwnedFd, OsError> {
        let own = self.descriptor.as_raw_fd();
        // SAFETY: takes three numbers.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_getfd, own, descriptor, 0) };
        let fd = i32::try_from(result)
            .ok()
            .filter(|&fd| fd >= 0)
            .ok_or_else(|| OsError::last("pidfd_getfd"))?;
        // SAFETY: the kernel has just made this descriptor for us.
        standard::beyond(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// Whether the process has ended (it may still be a zombie).
    pub(crate) fn has_ended(&self) -> bool {
        self.wait(Deadline::after(core::time::Duration::ZERO))
    }

    /// Waits until the process has ended; false if the deadline comes first.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        loop {
            let timeout = deadline.remaining().map_or(PollTimeout::NONE, |left| {
                // Rounded up: waiting half a millisecond as zero would spin.
                PollTimeout::try_from(left + core::time::Duration::from_micros(999))
                    .unwrap_or(PollTimeout::MAX)
            });
            match poll(&mut [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) if deadline.is_over() => return false,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }

    /// How the process ended, if it has, and is a child of this one that nobody has waited for yet.
    pub(crate) fn reap(&self) -> Option<How> {
        waiting::reap(&Id::PIDFd(self.descriptor.as_fd())).map(|ended| ended.how)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
