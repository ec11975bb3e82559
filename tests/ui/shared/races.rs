//! Shared data changed without a lock.
use psync::prelude::*;

#[shared]
struct Counter {
    value: u32,
}

fn main() {
    let counter = Shared::new(Counter::default()).unwrap();
    counter.value += 1;
}
