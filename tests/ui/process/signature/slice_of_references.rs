//! A slice of references.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn greet(names: &[&str]) {}

fn main() {}
