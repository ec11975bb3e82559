//! Four guests share two seats, and nobody can bring a third.
//!
//! ```console
//! $ cargo run --release --example bounded
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process(acquire(seats))]
fn sit(seats: &Semaphore, guest: u32) {
    println!("guest {guest} sits");
}

fn main() -> psync::Result<()> {
    let seats = Shared::new(Semaphore::bounded(2))?;
    parallel! { for guest in 1..=4 => sit(&seats, guest) }?;
    println!("one more seat: {:?}", seats.release(1).map_err(|error| error.to_string()));
    Ok(())
}
// ANCHOR_END: program
