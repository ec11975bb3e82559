//! A lock that another lock guards.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    gate: Lock,
    #[guarded_by(gate)]
    acorns: u32,
}

fn main() {}
