//! A consumer waits on an empty queue while its starter waits for it: that is reported. A wait that has an end is a cure.
//!
//! ```console
//! $ cargo run --release --example hungry
//! ```

// ANCHOR: program
use psync::prelude::*;
use std::time::Duration;

#[process(name = "consumer")]
fn consume(bowl: Queue<String>) -> String {
    println!("{:?}", bowl.recv_timeout(Duration::from_millis(100)));
    bowl.recv().unwrap_or_else(|starved| starved.to_string())
}

fn main() -> psync::Result<()> {
    let bowl = Queue::bounded(1)?;
    println!("{}", consume::run(bowl.clone())?);
    Ok(())
}
// ANCHOR_END: program
