//! A closure that captures.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let x = 3;
    let _ = psync::spawn(|n: u32| n + x, 1);
}
