//! How values cross from one process to another: queues, channels and pipes that no kill can wedge.
//!
//! | type | for |
//! |---|---|
//! | [`Queue`] | messages from any process to any process |
//!
//! How they work inside is in the README beside this file.

mod alone;
pub(crate) mod codec;
pub(crate) mod core;
mod error;
mod handles;
mod hold;
mod message;
pub(crate) mod outbox;
mod plain;
mod queue;
mod raw;
mod windows;

pub use error::{RecvError, SendError, SendErrorKind};
pub use queue::{Iter, Queue};
