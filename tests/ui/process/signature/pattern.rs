//! A pattern: starting it is no second error.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn add((a, b): (u32, u32)) -> u32 {
    a + b
}

fn main() {
    let sum: u32 = add::run((1, 2)).unwrap();
}
