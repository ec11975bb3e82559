//! A closure that captures, for the workers of a pool.
#![allow(unused)]
use psync::prelude::*;

fn main() -> psync::Result<()> {
    let x = 3;
    let sums = psync::Pool::new(2)?.map(|n: u32| n + x, 0..4)?;
    Ok(())
}
