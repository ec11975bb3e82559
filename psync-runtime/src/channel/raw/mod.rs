//! The state machine of a queue: words of shared memory and who may move them, without values, handles or rich errors.

mod bell;
mod hands;
mod memory;
mod near;
mod presence;
mod record;
mod ring;
mod side;
mod sizes;

pub(crate) use bell::Bell;
pub(crate) use hands::{HANDS, Hand, PER_PAGE as HANDS_PER_PAGE, Work, bytes_have_jobs};
pub(crate) use memory::{Memory, Reason};
pub(crate) use presence::{Account, PER_PAGE, Presence, Role, is_here, page_has_receivers};
pub(crate) use record::Bytes;
#[cfg(feature = "fuzzing")]
pub(crate) use ring::{CHUNK, EXTENTS, LOG};
pub(crate) use ring::{Head, Popped, Pushed};
pub(crate) use side::{Door, Side};
pub(crate) use sizes::YIELDS;
