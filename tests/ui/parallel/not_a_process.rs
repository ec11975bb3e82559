//! A function without `#[process]`, and items that cannot be iterated.
use psync::prelude::*;

fn plain() {}

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let _ = parallel! { plain() };
    let _ = parallel! { for i in 5 => add(i, 1) };
}
