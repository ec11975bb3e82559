//! A write to what is only lent.
#![allow(unused)]
use psync::prelude::*;

fn main() {
    let numbers = Shared::<[u32]>::zeroed(3).unwrap();
    let value = parallel! { process(&numbers) { numbers[0] = 1; } };
}
