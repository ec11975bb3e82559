//! What the `for` gives is used in a text, and not listed.
#![allow(unused)]
use psync::prelude::*;

fn main() -> psync::Result<()> {
    let names = ["Al", "Bo"];
    parallel! { for name in names => process() { println!("{name} swings") } }?;
    Ok(())
}
