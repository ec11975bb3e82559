//! A vector.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Vec<u32>,
}

fn main() {}
