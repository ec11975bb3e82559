//! Locks that do not exist, guard themselves or are no locks.
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pne)]
    acorns: u32,
    #[guarded_by(walnuts)]
    walnuts: u32,
    #[guarded_by]
    seeds: u32,
}

#[shared]
struct Other {
    lock: Mutex<u32>,
    #[guarded_by(lock)]
    acorns: u32,
}

#[shared]
struct Pair(Lock, #[guarded_by(lock)] u32);

fn main() {}
