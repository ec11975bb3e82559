//! A slip of the pen.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(wiat(farm.bell))]
fn work(farm: &Farm) {}

fn main() {}
