//! Data of no fixed length.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: [u8],
}

fn main() {}
