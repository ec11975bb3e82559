//! What the `for` gives is not listed.
#![allow(unused)]
use psync::prelude::*;

fn main() -> psync::Result<()> {
    let values = Shared::<[u32]>::zeroed(3)?;
    let sums = parallel! { for i in 0..3_usize => process(&values) { values[i] } }?;
    Ok(())
}
