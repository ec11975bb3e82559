//! A shared type that wants to be dropped.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    fed: Value<u32>,
}

impl Drop for Farm {
    fn drop(&mut self) {}
}

fn main() {}
