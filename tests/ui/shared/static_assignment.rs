//! A shared static is changed through what it is made of only.
use psync::prelude::*;

#[shared]
static TABLE: [u64; 4] = [0; 4];

fn main() {
    TABLE[1] = 2;
    let _ = &mut *TABLE;
}
