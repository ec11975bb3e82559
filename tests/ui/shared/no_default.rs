//! A field without a default and without `#[init]`.
use psync::prelude::*;

#[shared]
struct Farm {
    gate: Barrier,
    fed: Value<u32>,
}

fn main() {
    let _ = Farm::default();
}
