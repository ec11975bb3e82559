//! Two attributes.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    gate: Lock,
    #[guarded_by(pen)]
    #[guarded_by(gate)]
    acorns: u32,
}

fn main() {}
