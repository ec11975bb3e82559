//! The attribute twice.
#![allow(unused)]
use psync::prelude::*;

#[process]
#[process]
fn work() {}

fn main() {
    work::run().unwrap();
}
