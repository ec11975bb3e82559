//! An option without its value.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with deadline; one() };
    let _: u32 = value.unwrap();
}
