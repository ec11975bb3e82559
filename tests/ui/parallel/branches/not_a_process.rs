//! A function without `#[process]`.
#![allow(unused)]
use psync::prelude::*;

fn plain() {}

fn main() {
    let value = parallel! { plain() };
}
