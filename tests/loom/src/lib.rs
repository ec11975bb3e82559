//! Models of the state machines in `sync/raw`, `channel` and `pool` of psync-runtime: the very sources, on a model of memory,
//! kernel and death.
// The sources bring unit tests of their own, which are not for a model.
#![allow(
    clippy::enum_variant_names,
    clippy::unnecessary_wraps,
    clippy::single_match_else,
    clippy::struct_excessive_bools,
    reason = "twins look as their originals do, and this is for tests"
)]
#![cfg(not(test))]

mod barriers;
mod channel;
mod defects;
mod explore;
mod harness;
mod machine;
mod memory;
mod models;
mod points;
mod pool;
mod primitive;
mod rules;
mod shm;
mod sync;
mod sys;
mod trace;
mod writers;

pub use harness::run;
