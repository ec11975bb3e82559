//! A word as the runtime would write it.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let value = parallel! { with on_failure = OnFailure::Finish; one() };
    let _: u32 = value.unwrap();
}
