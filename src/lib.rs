//! Process-based parallelism for Rust as a declarative DSL.
pub use psync_runtime::*;
