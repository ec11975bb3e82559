//! A function.
#![allow(unused)]
use psync::prelude::*;

#[shared]
fn work() {}

fn main() {
    work();
}
