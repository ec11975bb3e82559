//! Wiring without what it is about.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(set)]
fn work(farm: &Farm) {}

fn main() {}
