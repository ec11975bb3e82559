//! `static mut`.
use psync::prelude::*;

#[shared]
static mut COUNT: u64 = 0;

fn main() {
    let _ = *COUNT;
}
