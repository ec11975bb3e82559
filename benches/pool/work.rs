//! What the tasks do.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Next to nothing.
pub(crate) fn tiny(number: u64) -> u64 {
    number + 1
}

/// Keeps a processor busy for so many milliseconds.
pub(crate) fn busy(millis: u64) {
    let end = Instant::now() + Duration::from_millis(millis);
    while Instant::now() < end {}
}

/// So many steps, one after the other.
pub(crate) fn crunch(steps: u64) -> u64 {
    (0..steps).fold(1, |number, _| {
        black_box(number).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)
    })
}

/// As many tasks as the row of the long ones has.
pub(crate) const LONG: usize = 64;

/// How long each of them is, in milliseconds.
pub(crate) const MILLIS: u64 = 5;

/// How many steps a task has that is work for the processor alone: a millisecond or two.
pub(crate) const STEPS: u64 = 1_000_000;
