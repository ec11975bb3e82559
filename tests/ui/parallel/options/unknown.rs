//! An option of another macro; the value is what it would have been.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with name = "a"; one() };
    let _: u32 = value.unwrap();
}
