//! A type that nobody can name.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn count(items: impl Iterator<Item = u32>) {}

fn main() {}
