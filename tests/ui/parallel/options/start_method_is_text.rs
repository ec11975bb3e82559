//! A method as text.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with start_method = "spawn"; one() };
    let _: u32 = value.unwrap();
}
