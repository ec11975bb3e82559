//! How values cross from one process to another: queues, channels and pipes that no kill can wedge.
//!
//! | type | for |
//! |---|---|
//! | [`Queue`] | messages from any process to any process |
//! | [`channel`] | the same with two kinds of handles, [`Sender`] and [`Receiver`], each of which learns when the other kind is gone |
//! | [`WorkQueue`] | jobs that are delivered again until they are done |
//! | [`pipe`] | two ends that talk with each other; for `poll` and `select`, too |
//!
//! How they work inside is in the README beside this file.

mod alone;
mod bytes;
pub(crate) mod codec;
mod connection;
pub(crate) mod core;
mod ends;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod handles;
mod hold;
mod incoming;
mod jobs;
pub(crate) mod legacy;
pub(crate) mod message;
pub(crate) mod outbox;
mod packet;
mod plain;
mod put_off;
mod queue;
mod raw;
mod whom;
mod windows;
mod wire;
mod work;

pub(crate) use bytes::{ByteReceiver, ByteSender, bytes};
pub use connection::{Connection, pipe};
pub(crate) use core::Limit;
pub use ends::{Receiver, Sender, channel};
pub(crate) use incoming::Incoming;

pub use error::{RecvError, SendError, SendErrorKind};
pub(crate) use queue::fingerprint;
pub use queue::{Iter, Queue};
pub(crate) use wire::{Arrived, Wire};
pub use work::{Job, WorkQueue};
