//! A semicolon between options.
#![allow(unused)]
use psync::prelude::*;

#[process(daemon; name = "a")]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
