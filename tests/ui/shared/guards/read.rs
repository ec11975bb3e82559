//! A guarded field that is read without its lock.
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
    let acorns: u32 = farm.acorns;
}
