//! Three adventurers meet at a door; one of them lights a torch, and all go in.
//!
//! ```console
//! $ cargo run --release --example dungeon
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn enter(door: &Barrier, name: &str) -> Result<(), BrokenBarrier> {
    println!("{name} comes to the door");
    if door.wait()?.is_leader() {
        println!("one of them lights a torch");
    }
    println!("{name} goes in");
    Ok(())
}

fn main() -> psync::Result<()> {
    let door = Shared::new(Barrier::new(3))?;
    let names = ["the knight", "the thief", "the wizard"];
    let entered = parallel! { for name in names => enter(&door, name) }?;
    Ok(entered.into_iter().collect::<Result<(), _>>()?)
}
// ANCHOR_END: program
