//! Three systems are checked, and when all are ready the countdown runs, once.
//!
//! ```console
//! $ cargo run --release --example launch_action
//! ```

// ANCHOR: program
use psync::prelude::*;

fn count_down() {
    println!("three, two, one");
}

#[process]
fn check(pad: &Barrier, system: &str) -> Result<(), BrokenBarrier> {
    println!("{system} is ready");
    pad.wait()?;
    println!("{system} starts");
    Ok(())
}

fn main() -> psync::Result<()> {
    let pad = Shared::new(Barrier::with_action(3, count_down))?;
    let done = parallel! { for system in ["fuel", "guidance", "engine"] => check(&pad, system) }?;
    Ok(done.into_iter().collect::<Result<(), _>>()?)
}
// ANCHOR_END: program
