//! Names: all or none, and different.
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let _ = parallel! { a: one(), one() };
    let _ = parallel! { a: one(), a: one() };
}
