//! The sources under test.

#[path = "../../../../psync-runtime/src/sync/raw/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the models do not use everything of the machines")]
pub(crate) mod raw;

/// See the runtime's. Nobody looks for deadlocks here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadlockReport;

impl DeadlockReport {
    #[allow(clippy::needless_pass_by_value, reason = "as in the runtime")]
    pub(crate) fn new(_: crate::shm::world::Blocking) -> Self {
        unreachable!("a circle was found by nobody")
    }
}
