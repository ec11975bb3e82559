//! The source under test of `pool`, and its models.

#[path = "../../../../psync-runtime/src/pool/desk.rs"]
#[allow(dead_code, clippy::duplicated_attributes, reason = "the models do not use everything")]
mod desk;
mod models;

pub(crate) use models::ALL;
