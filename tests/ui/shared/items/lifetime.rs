//! A type that borrows.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Borrows<'a> {
    a: &'a u32,
}

fn main() {}
