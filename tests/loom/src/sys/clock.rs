//! Time: a moment has come, comes when the model says so, or does not come.

use crate::primitive::{AtomicU32, Ordering};
use core::time::Duration;

/// A moment. In their order, which [`min`](Deadline::min) uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// Now.
    Over,
    /// When the clock [strikes](crate::machine::strike).
    Noon,
    /// Not in this model.
    Never,
}

/// Whether it has struck.
pub(crate) static CLOCK: AtomicU32 = AtomicU32::new(0);

impl Deadline {
    pub(crate) const NEVER: Self = Self::Never;

    /// Only zero passes: a wake-up that got lost must not be made up for by time.
    pub(crate) fn after(timeout: Duration) -> Self {
        if timeout.is_zero() { Self::Over } else { Self::Never }
    }

    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Over => true,
            Self::Noon => CLOCK.latest(Ordering::Relaxed) != 0,
            Self::Never => false,
        }
    }

    pub(crate) fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
}

/// Asked by those who spin, which nobody does here.
pub(crate) fn now() -> u64 {
    0
}
