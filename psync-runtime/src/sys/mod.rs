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

mod error;
pub use error::OsError;
