//! How long an operation of a queue may take.

use crate::sys::clock::Deadline;
use core::time::Duration;

/// How long an operation that does not wait for messages or room may wait for whoever is just inside: a process that was stopped there
/// holds it up no longer.
const GRACE: Duration = Duration::from_millis(100);

/// How long an operation may take.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// It does not wait.
    Try,
    Until(Deadline),
}

impl Limit {
    pub(crate) const FOREVER: Self = Self::Until(Deadline::NEVER);

    pub(crate) fn after(timeout: Duration) -> Self {
        if timeout.is_zero() { Self::Try } else { Self::Until(Deadline::after(timeout)) }
    }

    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Until(_))
    }

    pub(crate) fn is_forever(self) -> bool {
        matches!(self, Self::Until(Deadline::NEVER))
    }

    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Try => true,
            Self::Until(deadline) => deadline.is_over(),
        }
    }

    pub(crate) fn deadline(self) -> Deadline {
        match self {
            Self::Try => Deadline::after(Duration::ZERO),
            Self::Until(deadline) => deadline,
        }
    }

    /// Until when to wait for whoever is inside.
    pub(crate) fn patience(self) -> Deadline {
        match self {
            Self::Try => Deadline::after(GRACE),
            Self::Until(deadline) => deadline,
        }
    }
}
