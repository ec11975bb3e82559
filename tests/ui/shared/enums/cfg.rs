//! A variant that exists only sometimes.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Shape {
    Point,
    #[cfg(unix)]
    Line,
}

fn main() {}
