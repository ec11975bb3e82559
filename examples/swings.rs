//! Five monkeys take turns on two swings, each for as long as it likes.
//!
//! ```console
//! $ cargo run --release --example swings
//! ```
#![allow(clippy::disallowed_methods, reason = "swinging takes time")]

// ANCHOR: program
use psync::prelude::*;
use std::hash::{BuildHasher, RandomState};
use std::{thread, time::Duration};

#[process(acquire(swings))]
fn swing(swings: &Semaphore, monkey: &str) {
    println!("{monkey} gets on");
    thread::sleep(Duration::from_millis(RandomState::new().hash_one(monkey) % 100));
    println!("{monkey} gets off");
}

fn main() -> psync::Result<()> {
    let swings = Shared::new(Semaphore::new(2))?;
    let monkeys = ["Coco", "Fips", "Kiki", "Momo", "Zazu"];
    parallel! { for monkey in monkeys => swing(&swings, monkey) }?;
    println!("{} swings are free", swings.available());
    Ok(())
}
// ANCHOR_END: program
