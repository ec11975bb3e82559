//! `return` where others run already.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let value = parallel! { for n in 0..3 => add(return, n) };
}
