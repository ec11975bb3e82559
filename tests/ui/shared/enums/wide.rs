//! More bytes than one.
#![allow(unused)]
use psync::prelude::*;

#[shared]
#[repr(u32)]
enum Wide {
    One,
}

fn main() {}
