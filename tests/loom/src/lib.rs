//! Models of the state machines in `psync-runtime/src/sync/raw`: the very sources, on a model of memory, kernel and death.
//!
//! See `README.md` beside this package's manifest.
// The sources bring unit tests of their own, which are not for a model.
#![cfg(not(test))]

mod explore;
mod harness;
mod machine;
mod memory;
mod models;
mod primitive;
mod shm;
mod sync;
mod sys;
mod trace;

pub use harness::run;
