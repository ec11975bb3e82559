//! A loop with nothing to run.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let value = parallel! { for n in 0..3 };
}
