//! A slip of the pen.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with wokers = 3; one() };
    let _: u32 = value.unwrap();
}
