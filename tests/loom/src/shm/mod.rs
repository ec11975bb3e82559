//! Stands in for the runtime's `shm`.

mod segment;
pub(crate) mod world;

pub(crate) use segment::{Segment, ShmError};
