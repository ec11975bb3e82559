//! A cell, which is no protection from other processes.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::cell::Cell<u32>,
}

fn main() {}
