//! Two branches of one name.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { a: one(), a: one() };
}
