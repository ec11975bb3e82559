//! A value that `derive(Default)` would not use.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[derive(Default)]
struct A {
    #[init(1)]
    a: u32,
}

fn main() {}
