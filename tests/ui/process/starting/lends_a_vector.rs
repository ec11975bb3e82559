//! A reference to a vector.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(values: &Vec<u32>) -> usize {
    values.len()
}

fn main() {}
