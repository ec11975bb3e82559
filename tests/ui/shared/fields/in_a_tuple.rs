//! Wrong inside of a tuple.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: (u32, String),
}

fn main() {}
