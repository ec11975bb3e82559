//! A capture that is no name.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process(n + 1) { n } };
}
