//! Neither true nor false.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with progress = 1; one() };
    let _: u32 = value.unwrap();
}
