//! Another way to write an attribute.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by = "pen"]
    acorns: u32,
}

fn main() {}
