//! Two workers sign in one after the other, and wait until they may begin.
//!
//! ```console
//! $ cargo run --release --example lock_and_event
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn work(list: &Lock, open: &Event, worker: u32) -> Result<(), LockError> {
    let turn = list.lock()?;
    println!("worker {worker} signs in");
    drop(turn);
    open.wait();
    println!("worker {worker} begins");
    Ok(())
}

fn main() -> psync::Result<()> {
    let (list, open) = (Shared::new(Lock::new())?, Shared::new(Event::new())?);
    let workers = [1, 2].map(|worker| work::spawn(&list, &open, worker));
    println!("the site opens");
    open.set();
    for worker in workers {
        worker?.join()??;
    }
    Ok(())
}
// ANCHOR_END: program
