//! Seventeen branches.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one() };
}
