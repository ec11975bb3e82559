//! The attribute twice.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[psync::shared]
static HITS: Value<u32> = Value::new(0);

fn main() {
    HITS.set(3);
}
