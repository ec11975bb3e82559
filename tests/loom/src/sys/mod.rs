//! Stands in for the runtime's `sys`: a kernel of which the models need little.

pub(crate) mod clock;
pub(crate) mod fault;
pub(crate) mod futex;
pub(crate) mod processors;
pub(crate) mod procfs;
pub(crate) mod thread;
