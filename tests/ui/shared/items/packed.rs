//! Another layout.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[repr(packed)]
struct Packed {
    a: u32,
}

fn main() {}
