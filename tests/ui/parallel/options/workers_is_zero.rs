//! Nobody at all.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with workers = 0; one() };
    let _: u32 = value.unwrap();
}
