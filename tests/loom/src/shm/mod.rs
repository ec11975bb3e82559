//! Stands in for the runtime's `shm`.

pub(crate) mod world;
