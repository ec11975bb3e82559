//! A function without `#[process]`.
#![allow(unused)]
use psync::prelude::*;

fn work(n: u32) {}

fn main() {
    let _ = work::run(1);
}
