//! Five workers share two desks.
//!
//! ```console
//! $ cargo run --release --example two_at_a_time
//! ```
#![allow(clippy::disallowed_methods, reason = "work takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration};

#[process(acquire(desks))]
fn work(desks: &Semaphore, worker: u32) {
    println!("worker {worker} sits down");
    thread::sleep(Duration::from_millis(50));
    println!("worker {worker} gets up");
}

fn main() -> psync::Result<()> {
    let desks = Shared::new(Semaphore::new(2))?;
    parallel! { for worker in 1..=5 => work(&desks, worker) }?;
    Ok(())
}
// ANCHOR_END: program
