//! A lock that guards itself.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    #[guarded_by(pen)]
    pen: Lock,
}

fn main() {}
