//! How values cross from one process to another.
pub(crate) mod codec;
