//! A worker takes items from a queue until it finds a sentinel.
//!
//! ```console
//! $ cargo run --release --example sentinel
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn work(items: Queue<Option<u32>>) {
    while let Ok(Some(item)) = items.recv() {
        println!("the worker takes {item}");
    }
    println!("the worker has found the sentinel");
}

fn main() -> psync::Result<()> {
    let items = Queue::unbounded()?;
    let worker = work::spawn(items.clone())?;
    items.send_all((1..=3).map(Some))?;
    items.send(None)?;
    Ok(worker.join()?)
}
// ANCHOR_END: program
