//! The models of queues.

mod hands;
mod presence;
mod ring;
mod side;
mod sleep;

use crate::harness::Model;

/// All of them.
pub(crate) const ALL: &[&[Model]] =
    &[ring::MODELS, side::MODELS, sleep::MODELS, presence::MODELS, hands::MODELS];
