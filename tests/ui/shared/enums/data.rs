//! A variant with data.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Shape {
    Point,
    Circle(f64),
}

fn main() {}
