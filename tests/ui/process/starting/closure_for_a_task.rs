//! A closure that captures, as a task.
#![allow(unused)]
use psync::prelude::*;

fn main() -> psync::Result<()> {
    let x = 3;
    let sum = psync::Pool::new(2)?.submit(|n: u32| n + x, 4)?;
    Ok(())
}
