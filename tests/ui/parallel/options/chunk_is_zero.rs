//! Nothing at a time.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with chunk = 0; one() };
    let _: u32 = value.unwrap();
}
