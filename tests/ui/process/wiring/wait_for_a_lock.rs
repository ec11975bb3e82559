//! Waiting for what is no event.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(wait(farm.pen))]
fn work(farm: &Farm) {}

fn main() {}
