//! A guarded field without its lock.
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {
    let farm = Farm::default();
    farm.acorns += 1;
}
