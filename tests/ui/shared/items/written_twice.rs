//! The attribute twice.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[shared]
struct Farm {
    bell: Event,
}

fn main() {
    Farm::default().bell.set();
}
