//! Two processes raise one number by one, 100,000 times each.
//!
//! ```console
//! $ cargo run --release --example increments
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn count(number: &Value<u32>) {
    for _ in 0..100_000 {
        number.update(|n| n + 1);
    }
}

fn main() -> psync::Result<()> {
    let number = Shared::new(Value::new(0))?;
    parallel! { count(&number), count(&number) }?;
    println!("{}", number.get());
    Ok(())
}
// ANCHOR_END: program
