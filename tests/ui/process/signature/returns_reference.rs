//! A result that borrows.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn same(name: &str) -> &str {
    name
}

fn main() {
    let _ = same::run("x");
}
