//! A capture with its type.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process(n: u32) { n } };
}
