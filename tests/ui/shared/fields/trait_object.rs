//! A trait object in a box.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Box<dyn Send>,
}

fn main() {}
