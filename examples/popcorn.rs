//! Three friends wait for the popcorn that a fourth makes.
//!
//! ```console
//! $ cargo run --release --example popcorn
//! ```
#![allow(clippy::disallowed_methods, reason = "popping takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration};

#[process(wait(ready))]
fn eat(ready: &Event, name: &str) {
    println!("{name} eats popcorn");
}

#[process(set(ready))]
fn pop(ready: &Event) {
    println!("it pops");
    thread::sleep(Duration::from_millis(100));
    println!("it is ready");
}

fn main() -> psync::Result<()> {
    let ready = Shared::new(Event::new())?;
    parallel! {
        for name in ["Ada", "Ben", "Cleo"] => eat(&ready, name),
        pop(&ready),
    }?;
    Ok(())
}
// ANCHOR_END: program
