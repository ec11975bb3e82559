//! Three systems are checked, and each says how long it has waited for the others.
//!
//! ```console
//! $ cargo run --release --example launch_delays
//! ```
#![allow(clippy::disallowed_methods, reason = "checking takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::thread;
use std::time::{Duration, Instant};

#[process]
fn check(all: &Barrier, system: &str, delay: Duration) -> Result<(), BrokenBarrier> {
    thread::sleep(delay);
    let ready = Instant::now();
    println!("{system} is ready");
    all.wait()?;
    println!("{system} has waited {} ms for the others", ready.elapsed().as_millis());
    Ok(())
}

fn main() -> psync::Result<()> {
    let all = Shared::new(Barrier::with_timeout(3, Duration::from_mins(1)))?;
    let systems = [("fuel", 30), ("guidance", 90), ("engine", 60)];
    let done = parallel! {
        for (system, ms) in systems => check(&all, system, Duration::from_millis(ms)),
    }?;
    Ok(done.into_iter().collect::<Result<(), _>>()?)
}
// ANCHOR_END: program
