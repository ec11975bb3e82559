//! Items that are none.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let value = parallel! { for i in 5 => add(i, 1) };
}
