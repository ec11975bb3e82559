//! Two things at once.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(wait(farm.bell, farm.pen))]
fn work(farm: &Farm) {}

fn main() {}
