//! A method as text.
#![allow(unused)]
use psync::prelude::*;

#[process(start_method = "spawn")]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
