//! A name that no branch has.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { a: one(), b: one() };
    let _ = value.unwrap().c;
}
