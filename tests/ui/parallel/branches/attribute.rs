//! An attribute in front of a branch.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(n: u32) -> u32 {
    n
}

fn main() {
    let x = 1;
    let _ = parallel! { #[cfg(unix)] work(x), work(2) };
}
