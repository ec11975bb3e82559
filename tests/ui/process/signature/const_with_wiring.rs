//! A constant function that waits.
#![allow(unused)]
use psync::prelude::*;

#[process(wait(bell))]
const fn work(bell: &Event) {}

fn main() {}
