//! A descriptor.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::fs::File,
}

fn main() {}
