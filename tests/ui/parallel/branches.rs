//! Things that are no branches, all reported together.
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let xs = [1, 2];
    let value = parallel! {
        one,
        xs.len(),
        for x in xs { one() },
        { 3 },
        5,
        one() one(),
        one(),
    };
    let (a, b) = value.unwrap();
    let _ = a.whatever() + b;
}
