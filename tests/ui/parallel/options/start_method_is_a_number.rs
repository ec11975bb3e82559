//! A variable of another type.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let method = 3;
    let value = parallel! { with start_method = method; one() };
    let _: u32 = value.unwrap();
}
