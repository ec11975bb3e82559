//! What may go wrong in a model: how deaths are learned of, and defects that it has to notice.

/// How a model is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Which step of a victim does not happen any more, since it is killed; none, if it is not.
    pub(crate) fatal: Option<u32>,
    pub(crate) death: Death,
    /// Whether every load finds the last value, as if all were sequentially consistent.
    pub(crate) is_strong: bool,
    pub(crate) sabotage: Option<Sabotage>,
}

/// How others learn of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// As a rule: the kernel marks the robust words, then the supervisor finishes the table and bumps the death epoch.
    Marked,
    /// With a C library whose robust list is of no use to us: from the table, and from the kernel, which a waiter asks.
    Unmarked,
    /// With a dead supervisor: from the kernel's marks, and from the kernel when a second has passed.
    Unreported,
    /// With neither, and to a process that had reason to expect the marks.
    Silent,
}

impl Death {
    pub(crate) fn is_marked(self) -> bool {
        matches!(self, Self::Marked | Self::Unreported)
    }

    pub(crate) fn is_reported(self) -> bool {
        matches!(self, Self::Marked | Self::Unmarked)
    }
}

/// A defect of the machine, which a model has to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// `futex::wake` wakes nobody.
    NoWake,
    /// Loads and exchanges acquire nothing.
    NoAcquire,
    /// Stores and exchanges release nothing.
    NoRelease,
    /// Fences are nothing.
    NoFence,
    /// The kernel marks no word.
    NoMark,
    /// Nobody wakes those who would learn of a death.
    NoReport,
    /// Nobody looks by itself.
    NoLook,
    /// A barrier on all processors is nothing.
    NoBarrier,
    /// What a message is comes after its commit.
    LateData,
    /// Of the two copies that go with a count there is but one.
    OneCopy,
    /// Nobody knows what a dead receiver was to give back.
    NoRetiring,
    /// Who has said that it will sleep sleeps.
    NoSecondLook,
    /// A job is in somebody's hands only after its receive was committed.
    LateHand,
    /// Nobody notices that a handle changes its holder.
    NoMoves,
    /// The table never knows of a death.
    NoTable,
}
