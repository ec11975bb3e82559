//! No lock at all.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by]
    acorns: u32,
}

fn main() {}
