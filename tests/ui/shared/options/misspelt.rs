//! A slip of the pen.
#![allow(unused)]
use psync::prelude::*;

#[shared(defualt = false)]
struct A {
    a: u32,
}

fn main() {}
