//! A field of something.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let point = (1, 2);
    let value = parallel! { process(point.0) { 3 } };
}
