//! Wrong inside of something right.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Wrong {
    fine: u32,
    wrong: Mutex<String>,
}

fn main() {}
