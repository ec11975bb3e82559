//! A trait object.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(shape: &dyn Send) {}

fn main() {
    psync::scope(|s| work::spawn_in(s, &3).unwrap().join()).unwrap();
}
