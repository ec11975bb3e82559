//! A capture that serde does not know.
#![allow(unused)]
use psync::prelude::*;

#[derive(Clone)]
struct Plain(u32);

fn main() {
    let plain = Plain(1);
    let value = parallel! { process(plain) { plain.0 } };
}
