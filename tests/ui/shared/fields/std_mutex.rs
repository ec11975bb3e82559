//! A lock that works between threads.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::sync::Mutex<u32>,
}

fn main() {}
