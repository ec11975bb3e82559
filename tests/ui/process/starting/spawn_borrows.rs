//! A start that does not wait and borrows.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn count(values: &[u32]) -> usize {
    values.len()
}

fn main() {
    let array = Array::<u32>::zeroed(3).unwrap();
    let guard = array.lock().unwrap();
    let _ = count::spawn(&guard[..]);
}
