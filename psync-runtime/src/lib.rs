//! The runtime of psync: what generated code and the facade crate are built on.
//!
//! Use it through the `psync` crate; this crate's own paths are not a public interface.
#![deny(unsafe_code)]

#[doc(hidden)]
pub mod __private;
pub mod channel;
pub mod error;
pub mod manager;
pub mod pool;
pub(crate) mod primitive;
pub mod process;
pub mod shm;
pub mod sync;
pub(crate) mod sys;

pub use error::{Error, Result};
pub use sys::OsError;
