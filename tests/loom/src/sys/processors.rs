//! One processor, so that nobody spins: a model has no time that could be saved.

/// See the runtime's.
pub(crate) fn are_several() -> bool {
    false
}
