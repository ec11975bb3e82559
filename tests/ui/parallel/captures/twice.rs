//! A capture twice.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process(n, &n) { n } };
}
