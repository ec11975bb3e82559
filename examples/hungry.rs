//! A consumer waits on an empty queue while its starter waits for it. A wait that has an end is the cure.
//!
//! ```console
//! $ cargo run --release --example hungry
//! ```

// ANCHOR: program
use psync::prelude::*;
use std::time::Duration;

#[process]
fn consume(bowl: Queue<String>) -> Result<String, RecvError> {
    bowl.recv_timeout(Duration::from_millis(100))
}

fn main() -> psync::Result<()> {
    let bowl = Queue::bounded(1)?;
    println!("{:?}", consume::run(bowl.clone())?);
    Ok(())
}
// ANCHOR_END: program
