//! Another name in the body than in the wiring.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(lock(farm.pen as guard))]
fn work(farm: &Farm) { *gaurd += 1; }

fn main() {}
