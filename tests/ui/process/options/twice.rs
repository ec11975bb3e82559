//! An option twice.
#![allow(unused)]
use psync::prelude::*;

#[process(daemon, daemon = false)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
