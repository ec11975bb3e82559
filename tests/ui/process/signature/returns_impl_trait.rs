//! A result that nobody can name.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn numbers() -> impl Iterator<Item = u32> {
    0..3
}

fn main() {}
