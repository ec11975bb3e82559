//! A guarded field without its lock, and a guard that is not mutable.
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
    let pen = farm.lock_pen().unwrap();
    *pen.acorns += 1;
}
