//! The models.

mod barrier;
mod data;
mod event;
mod mutex;
mod semaphore;
mod versions;

use crate::harness::Model;

/// All of them.
pub(crate) const ALL: &[&[Model]] =
    &[mutex::MODELS, event::MODELS, semaphore::MODELS, barrier::MODELS, versions::MODELS];
