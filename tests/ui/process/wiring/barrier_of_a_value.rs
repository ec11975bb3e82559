//! A barrier that is none.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(barrier(farm.fed))]
fn work(farm: &Farm) {}

fn main() {}
