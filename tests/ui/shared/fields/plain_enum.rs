//! An enum of ones own without `#[shared]`.
#![allow(unused)]
use psync::prelude::*;

enum Colour {
    Red,
}

#[shared]
struct Wrong {
    fine: u32,
    wrong: Colour,
}

fn main() {}
