//! Another name of a type.
#![allow(unused)]
use psync::prelude::*;

#[shared]
type Name = u32;

fn main() {}
