//! A variant with named data.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Shape {
    Point,
    Square { side: f64 },
}

fn main() {}
