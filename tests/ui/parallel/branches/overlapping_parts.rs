//! Two branches that write to the same part.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn clear(values: &mut [u32]) {
    values.fill(0);
}

fn main() {
    let array = Array::<u32>::zeroed(4).unwrap();
    let mut guard = array.lock().unwrap();
    let value = parallel! { clear(&mut guard[..3]), clear(&mut guard[2..]) };
}
