//! A function that does not exist.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { nothing() };
}
