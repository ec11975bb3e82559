//! A number.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { 5 };
}
