//! A lock that is none.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(lock(farm.bell as guard))]
fn work(farm: &Farm) {}

fn main() {}
