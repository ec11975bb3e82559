//! An enum with data, of the standard library.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Option<u32>,
}

fn main() {}
