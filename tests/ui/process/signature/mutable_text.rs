//! Text to change.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn clear(name: &mut str) {}

fn main() {}
