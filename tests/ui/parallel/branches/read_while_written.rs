//! A branch that reads what another writes.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn clear(values: &mut [u32]) {
    values.fill(0);
}

#[process]
fn sum(values: &[u32]) -> u32 {
    values.iter().sum()
}

fn main() {
    let array = Array::<u32>::zeroed(4).unwrap();
    let mut guard = array.lock().unwrap();
    let value = parallel! { clear(&mut guard), sum(&guard) };
}
