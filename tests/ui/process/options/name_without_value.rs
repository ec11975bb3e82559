//! A name without a value.
#![allow(unused)]
use psync::prelude::*;

#[process(name)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
