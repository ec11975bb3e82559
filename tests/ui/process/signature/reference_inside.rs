//! A reference inside of another type.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn greet(name: Option<&str>) {}

fn main() {}
