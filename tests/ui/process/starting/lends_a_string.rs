//! A reference to a string.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(name: &String) -> usize {
    name.len()
}

fn main() {}
