//! Three painters start the second coat together, when the first is everywhere.
//!
//! ```console
//! $ cargo run --release --example two_rounds
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn paint(dry: &Barrier, painter: &str) -> Result<(), BrokenBarrier> {
    for coat in 1..=2 {
        println!("{painter} paints coat {coat}");
        dry.wait()?;
    }
    Ok(())
}

fn main() -> psync::Result<()> {
    let dry = Shared::new(Barrier::new(3))?;
    let done = parallel! { for painter in ["Ann", "Bob", "Cid"] => paint(&dry, painter) }?;
    done.into_iter().collect::<Result<(), _>>()?;
    println!("both coats are done");
    Ok(())
}
// ANCHOR_END: program
