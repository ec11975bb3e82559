//! A field that is a number.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: u32,
    #[guarded_by(pen)]
    acorns: u32,
    #[guarded_by(pen)]
    walnuts: u32,
}

fn main() {
    let farm = Farm::default();
    *farm.lock_pen().unwrap().acorns += 1;
}
