//! A field that is no lock.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Mutex<u32>,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {}
