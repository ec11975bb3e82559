//! A generic enum.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Maybe<T> {
    Yes,
    No,
}

fn main() {}
