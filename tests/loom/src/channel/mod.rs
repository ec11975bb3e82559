//! The sources under test of `channel`, with what they need around them.

#[path = "../../../../psync-runtime/src/channel/core.rs"]
#[allow(dead_code, clippy::duplicated_attributes, reason = "the models do not use everything")]
pub(crate) mod core;
#[path = "../../../../psync-runtime/src/channel/jobs.rs"]
#[allow(dead_code, reason = "the models do not use everything")]
mod jobs;
mod models;
#[allow(dead_code, unused_imports, reason = "the models do not use everything")]
pub(crate) mod raw;
mod setting;
#[path = "../../../../psync-runtime/src/channel/whom.rs"]
#[allow(dead_code, reason = "the models do not use everything")]
mod whom;
mod windows;

pub(crate) use models::ALL;
pub(crate) use raw::{LOG, LOG_BYTES, LOG_END, STEP, pieces};

/// A model's processes send each other no handles in messages.
mod outbox {
    pub(super) const fn prune() {}
}

/// A model's processes have one thread, but they are not asked.
mod alone {
    pub(super) const fn is_only_thread() -> bool {
        false
    }
}
