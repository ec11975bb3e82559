//! Barriers of which one side is free: see [`barriers`](crate::barriers).

use crate::{barriers, machine};

/// See the runtime's.
pub(crate) fn takes_part() -> bool {
    true
}

/// See the runtime's.
pub(crate) fn light() {}

/// See the runtime's.
pub(crate) fn light_taking_part() {}

/// See the runtime's.
pub(crate) fn heavy() {
    if !std::thread::panicking() {
        machine::step();
        barriers::heavy();
    }
}
