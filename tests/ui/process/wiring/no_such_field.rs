//! A field that does not exist.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(wait(farm.bel))]
fn work(farm: &Farm) {}

fn main() {}
