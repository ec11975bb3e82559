//! `spawn` does not wait, so it cannot borrow.
use psync::prelude::*;

#[process]
fn count(values: &[u32]) -> u32 {
    values.len() as u32
}

#[process]
fn clear(values: &mut [u32]) {
    values.fill(0);
}

fn main() {
    let array = Array::<u32>::zeroed(3).unwrap();
    let mut guard = array.lock().unwrap();
    let _ = count::spawn(&guard[..]);
    let _ = clear::spawn(&mut guard);
}
