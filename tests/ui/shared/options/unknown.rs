//! An option of nothing.
#![allow(unused)]
use psync::prelude::*;

#[shared(name = "a")]
struct A {
    a: u32,
}

fn main() {}
