//! A permit of what is no semaphore.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    bell: Event,
    pen: Mutex<u32>,
    fed: Value<u32>,
}

#[process(acquire(farm.bell))]
fn work(farm: &Farm) {}

fn main() {}
