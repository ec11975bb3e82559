//! Something else.
#![allow(unused)]
use psync::prelude::*;

#[process(3)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
