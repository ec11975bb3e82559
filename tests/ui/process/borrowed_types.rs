//! References where they cannot be.
use psync::prelude::*;

#[process]
fn inside(name: Option<&str>, many: &[&str]) {}

#[process]
fn back(name: &str) -> &str {
    name
}

#[process]
fn text(name: &mut str) {}

fn main() {
    let _ = back::run("x");
}
