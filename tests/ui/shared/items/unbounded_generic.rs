//! A generic type in a function that promises nothing.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Slot<T> {
    value: T,
}

fn take<T>(slot: Shared<Slot<T>>) {}

fn main() {}
