//! Processes count visitors in a static that all of them have.
//!
//! ```console
//! $ cargo run --release --example visitors
//! ```

// ANCHOR: program
use psync::prelude::*;

#[shared]
static VISITORS: Value<u32> = Value::new(0);

#[process]
fn gate(visitors: u32) {
    for _ in 0..visitors {
        VISITORS.update(|n| n + 1);
    }
}

fn main() -> psync::Result<()> {
    parallel! { for visitors in [10, 20, 30] => gate(visitors) }?;
    println!("{} visitors", VISITORS.get());
    Ok(())
}
// ANCHOR_END: program
