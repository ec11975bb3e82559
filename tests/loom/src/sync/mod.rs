//! The sources under test.

#[path = "../../../../psync-runtime/src/sync/raw/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the models do not use everything of the machines")]
pub(crate) mod raw;
