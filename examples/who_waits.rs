//! A look at a program that does not get on: who waits for what, and a parent that waits for a child that waits for it.
//!
//! ```console
//! $ cargo run --release --example who_waits
//! ```

// ANCHOR: process
use psync::{dump_waits, prelude::*};
use std::{thread, time::Duration};

#[process]
fn clerk(till: &Mutex<u32>) -> Result<u32, LockError> {
    till.lock().map(|cents| *cents)
}

#[process]
fn watchman(alarm: &Event) -> bool {
    alarm.wait_timeout(Duration::from_mins(10))
}
// ANCHOR_END: process

// ANCHOR: main
fn main() -> psync::Result<()> {
    let (till, alarm) = (Shared::new(Mutex::new(250))?, Shared::new(Event::new())?);
    let held = till.lock()?;
    let (clerk, watchman) = (clerk::spawn(&till)?, watchman::spawn(&alarm)?);

    while dump_waits().lines().count() < 2 {
        thread::yield_now();
    }
    print!("{}", dump_waits());
    alarm.set();
    println!("the alarm was heard: {}", watchman.join()?);

    // The mistake: the clerk needs what is held here.
    match clerk.join()? {
        Ok(cents) => println!("{cents} cents"),
        Err(error) => println!("{error}"),
    }
    drop(held);
    println!("{} cents", clerk::run(&till)??);
    Ok(())
}
// ANCHOR_END: main
