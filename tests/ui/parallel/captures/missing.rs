//! A name that is not listed.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process() { n + 1 } };
}
