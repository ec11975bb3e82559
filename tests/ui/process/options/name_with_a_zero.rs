//! A name that the system could not keep.
#![allow(unused)]
use psync::prelude::*;

#[process(name = "a\0b")]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
