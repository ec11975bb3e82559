//! Five processes count votes into one box, 100,000 each.
//!
//! ```console
//! $ cargo run --release --example half_a_million
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn count(votes: &Mutex<u64>, number: u64) -> Result<u64, LockError> {
    for _ in 0..number {
        *votes.lock()? += 1;
    }
    Ok(number)
}

fn main() -> psync::Result<()> {
    let votes = Shared::new(Mutex::new(0))?;
    let counted = parallel! { for number in [100_000; 5] => count(&votes, number) }?;
    for (desk, number) in (1..).zip(counted) {
        println!("desk {desk} has counted {}", number?);
    }
    println!("{} votes in all", votes.lock()?);
    Ok(())
}
// ANCHOR_END: program
