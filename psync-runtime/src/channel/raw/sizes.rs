//! How large and how many: apart from what they are used for, so that a model can do with less (`tests/loom`).

/// A chunk of the log, a power of two.
pub(super) const CHUNK: u64 = 256 << 10;
/// The longest message that lies in the log itself.
pub(super) const INLINE: usize = (64 << 10) + 256;
/// How much of the log is reserved at a time.
pub(super) const STEP: u64 = 16 << 10;
/// How many chunks may wait to be used again. At least 2: see `Head::free_chunk`.
pub(super) const SPARE: u64 = 16;
/// How long the list of these is.
pub(super) const LIST: usize = 32;

/// How often in a row a thread must have been inside a side alone before it gets the bias.
pub(super) const ALONE: u32 = 32;
/// After a revocation, which costs as much as a thousand entries, that many times as often; and twice that after each further one.
pub(super) const ONCE_MORE: u32 = 64;

/// How often whoever would have to sleep lets others have this processor first: on a processor that both sides share, they then take turns
/// by the crowd instead of waking each other for every message.
pub(crate) const YIELDS: u32 = 2;
