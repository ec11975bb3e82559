//! A name that is no text.
#![allow(unused)]
use psync::prelude::*;

#[process(name = 3)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
