//! A function pointer.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: fn(u32) -> u32,
}

fn main() {}
