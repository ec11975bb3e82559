//! Data that is gone before the scope.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn count(values: &[u32]) -> usize {
    values.len()
}

fn main() {
    psync::scope(|scope| {
        let values = Shared::<[u32]>::zeroed(3).unwrap();
        count::spawn_in(scope, &values).unwrap();
    });
}
