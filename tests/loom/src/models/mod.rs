//! The models.

mod barrier;
mod condvar;
mod data;
mod event;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
mod versions;

pub(crate) use data::Data;

use crate::harness::Model;

/// All of them.
pub(crate) const ALL: &[&[Model]] = &[
    mutex::MODELS,
    event::MODELS,
    semaphore::MODELS,
    barrier::MODELS,
    versions::MODELS,
    rwlock::MODELS,
    condvar::MODELS,
    once::MODELS,
];
