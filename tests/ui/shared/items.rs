//! Items that cannot be shared.
use psync::prelude::*;

#[shared]
union Either {
    a: u32,
    b: f32,
}

#[shared]
fn work() {}

#[shared]
type Name = u32;

fn main() {
    work();
}
