//! A number that zero is no value of.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::num::NonZeroU32,
}

fn main() {}
