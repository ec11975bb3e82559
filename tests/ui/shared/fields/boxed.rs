//! A box.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Box<u64>,
}

fn main() {}
