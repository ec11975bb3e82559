//! Too few arguments.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let value = parallel! { add(1) };
}
