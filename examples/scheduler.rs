//! Three jobs take as long as they are told to, at the same time, and each is reported when it is done.
//!
//! ```console
//! $ cargo run --release --example scheduler
//! ```
#![allow(clippy::disallowed_methods, reason = "a job takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::{thread, time::Duration, time::Instant};

fn work((name, ms): (String, u64)) -> String {
    thread::sleep(Duration::from_millis(ms));
    name
}

fn main() -> psync::Result<()> {
    let (pool, begin) = (Pool::new(3)?, Instant::now());
    let jobs = [("mow", 90), ("rake", 30), ("weed", 60)];
    for name in pool.imap_unordered(work, jobs.map(|(name, ms)| (name.to_owned(), ms))) {
        println!("{} was done after {} ms", name?, begin.elapsed().as_millis());
    }
    Ok(())
}
// ANCHOR_END: program
