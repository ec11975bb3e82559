//! No path.
#![allow(unused)]
use psync::prelude::*;

#[shared(crate)]
struct A {
    a: u32,
}

fn main() {}
