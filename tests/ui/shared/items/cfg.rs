//! A field that exists only sometimes.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Depends {
    #[cfg(unix)]
    a: u32,
}

fn main() {}
