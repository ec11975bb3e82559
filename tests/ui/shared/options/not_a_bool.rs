//! A value of the wrong kind.
#![allow(unused)]
use psync::prelude::*;

#[shared(default = no)]
struct A {
    a: u32,
}

fn main() {}
