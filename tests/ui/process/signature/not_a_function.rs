//! A struct.
#![allow(unused)]
use psync::prelude::*;

#[process]
struct Work;

fn main() {
    let _ = Work;
}
