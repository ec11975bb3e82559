//! A struct of ones own without `#[shared]`.
#![allow(unused)]
use psync::prelude::*;

struct Plain(u32);

#[shared]
struct Wrong {
    fine: u32,
    wrong: Plain,
}

fn main() {}
