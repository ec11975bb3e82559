//! Connections to other programs and hosts: authenticated, and limited in all that a stranger could ask for.
//!
//! | step | who | bytes |
//! |---|---|---|
//! | 1 | server | eight that name the protocol, 32 random ones |
//! | 2 | client | 32 random ones, and the proof that it knows the key: a MAC over its role and both |
//! | 3 | server | the proof that *it* knows the key: the same with its own role |
//! | then | both | frames: length, payload, and a MAC over how many frames were before, the length and the payload |
//!
//! Each direction has a key of its own, which depends on both random numbers: so nothing that was recorded is worth anything in another connection, nor in the other
//! direction, nor in another place. The MAC is HMAC-SHA256. What is sent can be read by others on the way, but not changed: this authenticates and does not encrypt.

mod address;
mod auth;
mod client;
mod frame;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod greeter;
mod listener;
mod stream;

pub use address::Address;
pub use client::Client;
pub(super) use frame::LIMIT;
pub(super) use greeter::Greeter;
pub use listener::Listener;
pub(super) use stream::Door;
