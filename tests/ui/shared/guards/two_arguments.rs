//! Two locks in one attribute.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    gate: Lock,
    #[guarded_by(pen, gate)]
    acorns: u32,
}

fn main() {}
