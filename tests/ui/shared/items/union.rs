//! A union.
#![allow(unused)]
use psync::prelude::*;

#[shared]
union Either {
    a: u32,
    b: f32,
}

fn main() {}
