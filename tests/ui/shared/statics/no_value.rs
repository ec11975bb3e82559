//! A static without a value.
use psync::prelude::*;

#[shared]
static HITS: Value<u64>;

fn main() {
    HITS.update(|hits| hits + 1);
}
