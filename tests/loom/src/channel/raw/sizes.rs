//! Stands in for the runtime's `channel::raw::sizes`: as little as shows everything.

/// Room for three records of one word, or one of three words, and a jump.
pub(super) const CHUNK: u64 = 64;
pub(super) const INLINE: usize = 24;
pub(crate) const STEP: u64 = 64;
pub(super) const SPARE: u64 = 2;
pub(super) const LIST: usize = 4;

pub(super) const ALONE: u32 = 1;
pub(super) const ONCE_MORE: u32 = 1;

/// A model has no processor to share.
pub(crate) const YIELDS: u32 = 0;
