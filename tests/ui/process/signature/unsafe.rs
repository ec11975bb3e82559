//! An unsafe function.
#![allow(unused)]
use psync::prelude::*;

#[process]
unsafe fn dangerous() {}

fn main() {}
