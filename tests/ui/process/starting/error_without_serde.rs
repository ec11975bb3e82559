//! An error that serde does not know.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn work(n: u32) -> Result<u32, std::io::Error> {
    Ok(n)
}

fn main() {
    let _ = work::run(1);
}
