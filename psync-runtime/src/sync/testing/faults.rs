//! How a test has this process die at a point inside an algorithm, or learns which points an operation passes.
//!
//! The points are those of the thread that calls [`record`], [`die_at`] or [`die_asleep_at`], until it calls [`disarm`].

use crate::sys::fault::{self, Plan};

pub use crate::sys::fault::{Event, Hit};

/// From here on notes every point that this thread passes.
pub fn record() {
    fault::arm(Plan::Record);
}

/// Has the process killed as soon as this thread passes `point` for the `turn`-th time, counted from 1.
pub fn die_at(point: &str, turn: u32) {
    fault::arm(Plan::Die(point.to_owned(), turn));
}

/// Has the process killed in the sleep that follows the `turn`-th time.
pub fn die_asleep_at(point: &str, turn: u32) {
    fault::arm(Plan::DieAsleep(point.to_owned(), turn));
}

/// Ends all that; the points that were passed meanwhile, in order.
pub fn disarm() -> Vec<Hit> {
    fault::disarm()
}

/// Has `observer` told of every point while the thread is armed. Once per process.
pub fn observe(observer: fn(Event)) {
    fault::observe(observer);
}

/// A point of the test's own.
pub fn point(name: &'static str) {
    fault::point(name);
}
