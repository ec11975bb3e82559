//! A method that captures itself.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    fed: Value<u32>,
}

impl Farm {
    fn feed(&self) {
        let _ = parallel! { process(self) { 3 } };
    }
}

fn main() {}
