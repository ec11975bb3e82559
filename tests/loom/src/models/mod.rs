//! The models.

mod data;
mod mutex;

use crate::harness::Model;

/// All of them.
pub(crate) const ALL: &[&[Model]] = &[mutex::MODELS];
