//! A queue, which is a handle as well.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Queue<u32>,
}

fn main() {}
