//! A capture that is lent and cannot live in shared memory.
#![allow(unused)]
use psync::prelude::*;

struct Plain(u32);

fn main() {
    let plain = Plain(1);
    let value = parallel! { process(&plain) { plain.0 } };
}
