//! A capture that cannot be cloned.
#![allow(unused)]
use psync::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Plain(u32);

fn main() {
    let plain = Plain(1);
    let value = parallel! { process(plain) { plain.0 } };
}
