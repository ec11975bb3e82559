//! A word in quotes.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with on_failure = "cancel"; one() };
    let _: u32 = value.unwrap();
}
