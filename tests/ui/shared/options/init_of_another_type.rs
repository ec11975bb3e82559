//! A value of another type.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct A {
    #[init("one")]
    a: u32,
}

fn main() {}
