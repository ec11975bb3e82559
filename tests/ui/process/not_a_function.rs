//! Other items.
use psync::prelude::*;

#[process]
struct Work;

#[process]
const N: u32 = 3;

fn main() {
    let _ = (Work, N);
}
