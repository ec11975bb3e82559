//! A time as text.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with grace = "2 s"; one() };
    let _: u32 = value.unwrap();
}
