//! A start that does not wait and would write.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn clear(values: &mut [u32]) {
    values.fill(0);
}

fn main() {
    let array = Array::<u32>::zeroed(3).unwrap();
    let mut guard = array.lock().unwrap();
    let _ = clear::spawn(&mut guard);
}
