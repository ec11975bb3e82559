//! Arbitrary bytes in the place of what another process would have written: as values, as a queue's memory, as packets of a socket, as
//! what a manager's client says. Each ends in a value or an error, soon, and with no more memory than the bytes are worth.
//!
//! `bash tests/fuzz/run 60` runs the fuzzer, for a minute altogether; see there. What it has found once, and the seeds it begins with, lie in
//! `corpus`, and `cargo test` goes through them.
#![allow(missing_docs, reason = "for the programs of this package")]
#![allow(
    clippy::missing_panics_doc,
    reason = "a fuzz target says by a panic that something is wrong"
)]

pub mod codec;
mod input;
pub mod manager;
mod memory;
pub mod packet;
pub mod ring;
mod subjects;
mod values;

pub type Target = (&'static str, fn(&[u8]));

/// All of them, by name.
pub const TARGETS: [Target; 4] = [
    ("codec", codec::run),
    ("manager", manager::run),
    ("packet", packet::run),
    ("ring", ring::run),
];
