//! A function without arguments.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { one };
}
