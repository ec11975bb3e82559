//! A type that owns heap memory.
use psync::prelude::*;

#[shared]
static NAME: String = String::new();

fn main() {
    let _ = NAME.len();
}
