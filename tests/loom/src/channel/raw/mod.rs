//! The sources under test of `channel::raw`.

#[path = "../../../../../psync-runtime/src/channel/raw/bell.rs"]
mod bell;
#[path = "../../../../../psync-runtime/src/channel/raw/hands.rs"]
mod hands;
#[path = "../../../../../psync-runtime/src/channel/raw/memory.rs"]
mod memory;
#[path = "../../../../../psync-runtime/src/channel/raw/near.rs"]
mod near;
#[path = "../../../../../psync-runtime/src/channel/raw/presence.rs"]
mod presence;
#[path = "../../../../../psync-runtime/src/channel/raw/record.rs"]
mod record;
#[path = "../../../../../psync-runtime/src/channel/raw/ring.rs"]
mod ring;
#[path = "../../../../../psync-runtime/src/channel/raw/side.rs"]
mod side;
mod sizes;

pub(crate) use bell::Bell;
pub(crate) use hands::{HANDS, Hand, PER_PAGE as HANDS_PER_PAGE, Work};
pub(crate) use memory::{Memory, Reason};
pub(crate) use presence::{Account, PER_PAGE, Presence, Role, is_here};
pub(crate) use record::Bytes;
pub(crate) use ring::{EXTENTS, Head, LOG, Popped, Pushed};
pub(crate) use side::{Door, Side};
pub(crate) use sizes::{STEP, YIELDS};

use crate::{machine, shm::world::SLOTS};

/// How long a log may get before it grows without need.
pub(crate) const LOG_BYTES: u64 = 8 * sizes::CHUNK;
pub(crate) const LOG_END: u64 = LOG + LOG_BYTES;
/// Where the bytes of jobs lie, and how much each has: as in `channel::jobs`.
const BYTES: u64 = 1 << 55;
const EACH: u64 = 1 << 43;

/// Everything of the file that may be used at once, and is no word.
pub(crate) fn pieces() -> impl Iterator<Item = u64> {
    let log = (LOG..LOG_END).step_by(16);
    let extents = (0..6).map(|page| EXTENTS.start + page * 4096);
    let jobs = (0..3).flat_map(|index| [0, 4096].map(|at| BYTES + index * EACH + at));
    log.chain(extents).chain(jobs)
}

/// Makes all words of the tables known that a model's processes use.
pub(crate) fn show(presence: &Presence, hands: &[Hand; HANDS]) {
    drop(format!("{:?}", &hands[..3]));
    for role in [Role::Sender, Role::Receiver] {
        for process in 0..SLOTS {
            drop(format!("{:?}", presence.seat(machine::nth(process), role)));
        }
        presence.who(machine::nth(0), role, |_| true, 1);
    }
}
