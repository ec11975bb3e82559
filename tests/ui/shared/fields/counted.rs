//! A counted pointer.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: std::sync::Arc<u32>,
}

fn main() {}
