//! Items that cannot be shared.
use psync::prelude::*;

#[shared]
static HITS: Value<u64> = Value::new(0);

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
    HITS.get();
    work();
}
