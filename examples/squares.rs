//! A pool of four squares five numbers.
//!
//! ```console
//! $ cargo run --release --example squares
//! ```

// ANCHOR: program
use psync::prelude::*;

fn square(x: u64) -> u64 {
    x * x
}

fn main() -> psync::Result<()> {
    let pool = Pool::new(4)?;
    println!("{:?}", pool.map(square, 1..=5)?);
    Ok(())
}
// ANCHOR_END: program
