//! A module.
#![allow(unused)]
use psync::prelude::*;

#[shared]
mod inner {}

fn main() {}
