//! A constant of another type.
#![allow(unused)]
use psync::prelude::*;

const METHOD: u32 = 3;

#[process(start_method = METHOD)]
fn work(n: u32) {}

fn main() {
    work::run(1).unwrap();
}
