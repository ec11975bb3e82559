//! A slice without a reference.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(part: [u8]) -> usize {
    part.len()
}

fn main() {
    work::run(vec![1].into()).unwrap();
}
