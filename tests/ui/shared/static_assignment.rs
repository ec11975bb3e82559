//! A shared static is changed through what it is made of only.
use psync::prelude::*;

#[shared]
static HITS: Value<u64> = Value::new(0);
#[shared]
static TABLE: [u64; 4] = [0; 4];

fn main() {
    *HITS += 1;
    TABLE[1] = 2;
    let _ = &mut *TABLE;
}
