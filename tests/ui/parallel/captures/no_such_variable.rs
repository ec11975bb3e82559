//! A name that does not exist.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { process(n) { n } };
}
