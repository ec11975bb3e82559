//! `?` among the arguments of a `for` branch.
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() -> psync::Result<()> {
    let _ = parallel! {
        for text in ["1", "2"] => add(text.parse()?, 1),
    };
    Ok(())
}
