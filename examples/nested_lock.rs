//! One process takes a lock that it holds already.
//!
//! ```console
//! $ cargo run --release --example nested_lock
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn nest(lock: &ReentrantMutex<u32>) -> psync::Result<()> {
    let outer = lock.lock()?;
    println!("held once, around {outer}");
    println!("held {} times", lock.lock()?.depth());
    Ok(())
}

fn main() -> psync::Result<()> {
    nest::run(&Shared::new(ReentrantMutex::new(7))?)?
}
// ANCHOR_END: program
