//! A value that `derive(Default)` would not use, also of a type that has no other.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[derive(Default)]
struct A {
    #[init(1)]
    a: u32,
}

#[shared]
#[derive(Debug, Default)]
struct B {
    #[init(Semaphore::new(1))]
    b: Semaphore,
}

fn main() {
    println!("{:?}", B::default());
}
