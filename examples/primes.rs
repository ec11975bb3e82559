//! Finds a prime number by its place: a pool looks through blocks of numbers until there are enough.
//!
//! ```console
//! $ cargo run --release --example primes -- PLACE
//! ```

// ANCHOR: program
use psync::prelude::*;
use std::env;

/// The primes of one block of a thousand numbers.
fn primes(block: u64) -> Vec<u64> {
    let is_prime = |n: &u64| *n > 1 && !(2..=n.isqrt()).any(|d| n.is_multiple_of(d));
    (block * 1000..(block + 1) * 1000).filter(is_prime).collect()
}

fn main() -> psync::Result<()> {
    let place = env::args().nth(1).and_then(|place| place.parse().ok());
    let place: usize = place.filter(|&place| place > 0).unwrap_or(10_000);
    let pool = Pool::new(psync::cpu_count())?;
    let mut before = 0;
    // There is no last block: no more are looked through than are needed, and a few under way.
    for block in pool.imap(primes, 0..) {
        let block = block?;
        if let Some(prime) = place.checked_sub(before + 1).and_then(|at| block.get(at)) {
            println!("prime number {place} is {prime}");
            break;
        }
        before += block.len();
    }
    Ok(())
}
// ANCHOR_END: program
