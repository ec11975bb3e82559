//! A module, with options.
#![allow(unused)]
use psync::prelude::*;

#[process(daemon)]
mod work {}

fn main() {}
