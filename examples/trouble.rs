//! What is seen when a process does not do what it should: it panics, is killed, leaves, cannot be started, or waits for ever.
//!
//! ```console
//! $ cargo run --release --example trouble -- panic
//! $ cargo run --release --example trouble -- killed
//! ```
#![allow(clippy::disallowed_methods, reason = "a process that just leaves")]

// ANCHOR: panic
use psync::prelude::*;
use std::{env, thread};

#[process]
fn divide(a: u32, b: u32) -> u32 {
    a / b
}

fn panic() -> psync::Result<()> {
    println!("{}", divide::run(7, 2)?);
    println!("{}", divide::run(7, 0)?);
    Ok(())
}
// ANCHOR_END: panic

// ANCHOR: killed
#[process(name = "sleeper")]
fn sleep(never: &Event) {
    never.wait();
}

fn killed() -> psync::Result<()> {
    let sleeper = sleep::spawn(&Shared::new(Event::new())?)?;
    sleeper.kill()?;
    println!("how it ended: {}", sleeper.wait());
    Ok(sleeper.join()?)
}
// ANCHOR_END: killed

// ANCHOR: left
#[process]
fn leave() -> u32 {
    std::process::exit(3)
}

fn left() -> psync::Result<()> {
    println!("{}", leave::run()?);
    Ok(())
}
// ANCHOR_END: left

// ANCHOR: refused
fn refused() -> psync::Result<()> {
    let second = thread::spawn(thread::park);
    let fork = Options::new().start_method(StartMethod::Fork);
    let started = divide::spawn_with(fork, 8, 2);
    second.thread().unpark();
    println!("{}", started?.join()?);
    Ok(())
}
// ANCHOR_END: refused

// ANCHOR: deadlock
#[process(lock(till as cents))]
fn pay(till: &Mutex<u32>) {
    *cents += 1;
}

fn deadlock() -> psync::Result<()> {
    let till = Shared::new(Mutex::new(0))?;
    let mine = till.lock()?;
    pay::run(&till)?; // waits for what is held here
    drop(mine);
    Ok(())
}
// ANCHOR_END: deadlock

// ANCHOR: main
fn main() -> psync::Result<()> {
    match env::args().nth(1).as_deref() {
        Some("panic") => panic(),
        Some("killed") => killed(),
        Some("left") => left(),
        Some("refused") => refused(),
        _ => deadlock(),
    }
}
// ANCHOR_END: main
