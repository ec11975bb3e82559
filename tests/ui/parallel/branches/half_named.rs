//! Only one branch has a name.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { a: one(), one() };
}
