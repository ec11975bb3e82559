//! An attribute that nobody knows.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[gaurded_by(pen)]
    acorns: u32,
}

fn main() {}
