//! An option of another macro.
#![allow(unused)]
use psync::prelude::*;

#[process(workers = 3)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
