//! A type that does not exist: said once.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Missing,
}

fn main() {}
