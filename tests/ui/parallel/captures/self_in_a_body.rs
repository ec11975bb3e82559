//! The surroundings' `self`.
#![allow(unused)]
use psync::prelude::*;

struct Farm {
    limit: u32,
}

impl Farm {
    fn feed(&self) -> psync::Result<u32> {
        let sum = parallel! { process() { self.limit + 1 } }?;
        Ok(sum)
    }
}

fn main() {}
