//! An `#[init]` without a value.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct A {
    #[init]
    a: u32,
}

fn main() {}
