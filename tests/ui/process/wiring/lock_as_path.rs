//! A name of several words.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(lock(farm.pen as my::guard))]
fn work(farm: &Farm) {}

fn main() {}
