//! A task that takes too long is ended.
//!
//! ```console
//! $ cargo run --release --example timeout
//! ```
#![allow(clippy::disallowed_methods, reason = "a task that takes long")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration};

#[process]
fn dig() {
    thread::sleep(Duration::from_hours(1));
}

fn main() -> psync::Result<()> {
    let mut digger = dig::spawn()?;
    if digger.join_timeout(Duration::from_millis(200)).is_none() {
        digger.terminate()?;
    }
    println!("the digger was ended by {}", digger.wait());
    Ok(())
}
// ANCHOR_END: program
