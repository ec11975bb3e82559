//! A number of what?
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with deadline = 3; one() };
    let _: u32 = value.unwrap();
}
