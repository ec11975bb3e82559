//! A closure.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { || 3 };
}
