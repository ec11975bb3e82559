//! Three systems are checked, which takes more or less time, and go on together.
//!
//! ```console
//! $ cargo run --release --example launch
//! ```
#![allow(clippy::disallowed_methods, reason = "checking takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::hash::{BuildHasher, RandomState};
use std::{thread, time::Duration};

#[process]
fn check(all: &Barrier, system: &str) -> Result<(), BrokenBarrier> {
    thread::sleep(Duration::from_millis(RandomState::new().hash_one(system) % 100));
    println!("{system} is ready");
    all.wait()?;
    println!("{system} starts");
    Ok(())
}

fn main() -> psync::Result<()> {
    let all = Shared::new(Barrier::new(3))?;
    let done = parallel! { for system in ["fuel", "guidance", "engine"] => check(&all, system) }?;
    Ok(done.into_iter().collect::<Result<(), _>>()?)
}
// ANCHOR_END: program
