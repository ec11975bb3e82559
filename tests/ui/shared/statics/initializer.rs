//! A value of another type.
use psync::prelude::*;

#[shared]
static HITS: Value<u64> = 0;

fn main() {
    HITS.get();
}
