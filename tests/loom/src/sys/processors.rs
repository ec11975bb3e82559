//! One processor for all, so that nobody spins: a model has no time that could be saved.

/// See the runtime's.
pub(crate) fn count() -> u32 {
    1
}

/// See the runtime's.
pub(crate) fn doubt() {}

/// See the runtime's.
pub(crate) fn current() -> usize {
    0
}

/// How many processors the machine has.
pub(crate) fn all() -> u32 {
    1
}

/// How many of them threads that wait for each other can be on.
pub(crate) fn usable() -> u32 {
    1
}
