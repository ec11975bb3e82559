//! Stands in for the runtime's `sys`: a kernel of which the models need little.

pub(crate) mod clock;
pub(crate) mod fault;
pub(crate) mod futex;
pub(crate) mod membarrier;
pub(crate) mod memory;
pub(crate) mod processors;
pub(crate) mod procfs;
pub(crate) mod thread;

/// See the runtime's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OsError;

impl OsError {
    pub(crate) const fn new(_call: &'static str, _errno: nix::errno::Errno) -> Self {
        Self
    }
}
