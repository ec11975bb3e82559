//! No variant.
#![allow(unused)]
use psync::prelude::*;

#[shared]
enum Never {}

fn main() {}
