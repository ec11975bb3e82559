//! Neither true nor false.
#![allow(unused)]
use psync::prelude::*;

#[process(daemon = 3)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
