//! A parameter that exists only sometimes.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(#[cfg(unix)] n: u32) {}

fn main() {}
