//! A result that serde does not know.
#![allow(unused)]
use psync::prelude::*;

struct Plain(u32);

fn main() {
    let value = parallel! { process() { Plain(1) } };
}
