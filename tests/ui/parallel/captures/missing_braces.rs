//! A body without braces.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let n = 3;
    let value = parallel! { process(n) n + 1 };
}
