//! A capture to change.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process(mut n) { n += 1 } };
}
