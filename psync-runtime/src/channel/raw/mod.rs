//! The state machine of a queue: words of shared memory and who may move them, without values, handles or rich errors.

mod bell;
mod hands;
mod presence;
mod record;
mod ring;
mod side;

pub(crate) use bell::Bell;
pub(crate) use hands::{HANDS, Hand, PER_PAGE as HANDS_PER_PAGE, Work, bytes_have_jobs};
pub(crate) use presence::{Account, Census, PER_PAGE, Presence, Role, is_here, page_has_receivers};
pub(crate) use ring::{Bytes, Head, Memory, Popped, Pushed, Reason};
pub(crate) use side::{Door, Side};
