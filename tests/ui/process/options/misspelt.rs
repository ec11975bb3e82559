//! A slip of the pen: starting the function is no second error.
#![allow(unused)]
use psync::prelude::*;

#[process(deamon)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
