//! A macro.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { format!("x") };
}
