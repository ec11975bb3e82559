//! System calls and what the kernel and the C library promise about them. Knows nothing of psync's own structures.

pub(crate) mod clock;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod image;
pub(crate) mod memory;
pub(crate) mod procfs;
pub(crate) mod thread;

mod error;
pub use error::OsError;
