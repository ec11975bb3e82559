//! A moment of the standard library.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::time::Instant,
}

fn main() {}
