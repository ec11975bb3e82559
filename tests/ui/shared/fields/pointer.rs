//! A pointer.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: *const u8,
}

fn main() {}
