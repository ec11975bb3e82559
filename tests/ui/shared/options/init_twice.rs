//! Two values.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct A {
    #[init(1)]
    #[init(2)]
    a: u32,
}

fn main() {}
