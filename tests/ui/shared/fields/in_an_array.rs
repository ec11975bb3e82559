//! Wrong inside of an array.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: [Vec<u8>; 3],
}

fn main() {}
