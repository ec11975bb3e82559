//! A method.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let values = [1, 2];
    let value = parallel! { values.len() };
}
