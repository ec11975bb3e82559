//! Four processes add up parts of one array, which is never copied.
//!
//! ```console
//! $ cargo run --release --example sums
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn add(part: &[u64]) -> u64 {
    part.iter().sum()
}

fn main() -> psync::Result<()> {
    let numbers = Shared::<[u64]>::new_with(1_000_000, |index| index as u64)?;
    let sums = parallel! { for part in numbers.chunks(250_000) => add(part) }?;
    println!("{sums:?}, together {}", sums.iter().sum::<u64>());
    Ok(())
}
// ANCHOR_END: program
