//! A generic type with an argument that cannot be shared.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Slot<T> {
    value: T,
}

fn take(slot: Shared<Slot<String>>) {}

fn main() {}
