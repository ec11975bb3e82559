//! A handle to other shared memory.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Shared<u32>,
}

fn main() {}
