//! A value that no byte has.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Wide {
    One = 1,
    Big = 300,
}

fn main() {}
