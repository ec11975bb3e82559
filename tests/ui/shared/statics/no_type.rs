//! A static without a type.
use psync::prelude::*;

#[shared]
static HITS = Value::new(0_u64);

fn main() {
    HITS.update(|hits| hits + 1);
}
