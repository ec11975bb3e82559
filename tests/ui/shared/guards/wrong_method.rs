//! A lock method that does not exist.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {
    let farm = Farm::default();
    let _ = farm.lock_gate();
}
