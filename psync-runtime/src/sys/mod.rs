//! System calls and what the kernel and the C library promise about them. Knows nothing of psync's own structures.

pub(crate) mod clock;
pub(crate) mod fault;
pub(crate) mod fork;
pub(crate) mod fork_lock;
pub(crate) mod futex;
pub(crate) mod image;
pub(crate) mod lifeline;
pub(crate) mod mappers;
pub(crate) mod membarrier;
pub(crate) mod memory;
pub(crate) mod pidfd;
pub(crate) mod processors;
pub(crate) mod procfs;
pub(crate) mod random;
pub(crate) mod signal;
pub(crate) mod socket;
pub(crate) mod spawn;
pub(crate) mod standard;
pub(crate) mod thread;
pub(crate) mod waiting;

mod error;
pub use error::OsError;

use nix::errno::Errno;

/// Calls again for as long as a signal is what kept it from its work.
pub(crate) fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
