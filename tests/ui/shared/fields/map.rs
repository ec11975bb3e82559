//! A map.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::collections::HashMap<u32, u32>,
}

fn main() {}
