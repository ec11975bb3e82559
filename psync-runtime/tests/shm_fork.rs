//! Shared memory across raw forks.
fn main() {}
