//! A process waits for an event that is set two seconds later.
//!
//! ```console
//! $ cargo run --release --example waiter
//! ```
#![allow(clippy::disallowed_methods, reason = "the waiting is the point")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration};

#[process]
fn wait(bell: &Event) {
    println!("waiting for the bell");
    bell.wait();
    println!("it has rung");
}

fn main() -> psync::Result<()> {
    let bell = Shared::new(Event::new())?;
    let waiter = wait::spawn(&bell)?;
    thread::sleep(Duration::from_secs(2));
    bell.set();
    waiter.join()?;
    Ok(())
}
// ANCHOR_END: program
