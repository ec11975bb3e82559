//! `?` where others run already.
#![allow(unused)]
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() -> psync::Result<()> {
    let value = parallel! { for t in ["1", "2"] => add(t.parse()?, 1) };
    let _ = value?;
    Ok(())
}
