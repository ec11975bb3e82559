//! A method that is not said.
#![allow(unused)]
use psync::prelude::*;

#[process(start_method)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
