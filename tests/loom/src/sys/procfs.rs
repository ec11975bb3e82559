//! What the kernel tells about processes when it is asked.

use crate::machine;

/// See the runtime's.
pub(crate) struct Stat;

impl Stat {
    /// The dead are not left as zombies.
    pub(crate) fn of(tid: i32) -> Option<Self> {
        machine::lives(tid.cast_unsigned()).then_some(Self)
    }

    #[allow(clippy::unused_self, reason = "as in the runtime")]
    pub(crate) fn is_zombie(&self) -> bool {
        false
    }
}

/// See the runtime's.
pub(crate) fn is_thread_alive(_pid: i32, tid: i32) -> bool {
    machine::lives(tid.cast_unsigned())
}
