//! An option twice.
#![allow(unused)]
use psync::prelude::*;

#[shared(default = false, default = false)]
struct A {
    a: u32,
}

fn main() {}
