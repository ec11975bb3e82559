//! As text.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with workers = "four"; one() };
    let _: u32 = value.unwrap();
}
