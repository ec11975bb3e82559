//! A value that nobody would use.
#![allow(unused)]
use psync::prelude::*;

#[shared(default = false)]
struct A {
    #[init(1)]
    a: u32,
}

fn main() {}
