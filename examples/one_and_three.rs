//! One number is squared while three others are.
//!
//! ```console
//! $ cargo run --release --example one_and_three
//! ```

// ANCHOR: program
use psync::prelude::*;

fn square(x: u64) -> u64 {
    x * x
}

fn main() -> psync::Result<()> {
    let pool = Pool::new(2)?;
    let one = pool.submit(square, 10)?;
    println!("three: {:?}", pool.map(square, [1, 2, 3])?);
    println!("one: {}", one.wait()?);
    Ok(())
}
// ANCHOR_END: program
