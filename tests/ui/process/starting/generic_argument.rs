//! A generic function with a type that cannot cross.
#![allow(unused)]
use psync::prelude::*;

struct Job(u32);

#[process]
fn work<T>(_value: T) {}

fn main() {
    let _ = work::run(Job(1));
}
