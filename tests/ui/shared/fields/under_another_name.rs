//! Only the compiler knows that this is a string.
#![allow(unused)]
use psync::prelude::*;

type Name = String;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Name,
}

fn main() {}
