//! A guard that is changed through, but not `mut`.
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {
    let farm = Farm::default();
    let pen = farm.lock_pen().unwrap();
    *pen.acorns += 1;
}
