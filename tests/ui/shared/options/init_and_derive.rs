//! A value that `derive(Default)` would not use, of a type that has no other.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[derive(Debug, Default)]
struct B {
    #[init(Semaphore::new(1))]
    b: Semaphore,
}

fn main() {
    println!("{:?}", B::default());
}
