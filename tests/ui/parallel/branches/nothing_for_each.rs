//! A loop that ends early.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(n: u32) -> u32 {
    n
}

fn main() {
    let x = 1;
    let _ = parallel! { for x in 0..3 => };
}
