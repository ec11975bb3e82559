//! A lock that does not exist.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pne)]
    acorns: u32,
}

fn main() {}
