//! A body behind something else than `process`.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(n: u32) -> u32 {
    n
}

fn main() {
    let x = 1;
    let _ = parallel! { proces(x) { x } };
}
