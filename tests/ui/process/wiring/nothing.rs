//! Wiring with nothing.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(wait())]
fn work(farm: &Farm) {}

fn main() {}
