//! Two dogs put treats into one bowl, three each.
//!
//! ```console
//! $ cargo run --release --example bowl
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process(lock(bowl as treats))]
fn add(bowl: &Mutex<u32>, dog: &str) {
    *treats += 1;
    println!("{dog} adds a treat");
}

#[process]
fn dog(bowl: &Mutex<u32>, name: &str) {
    for _ in 0..3 {
        add(bowl, name);
    }
}

fn main() -> psync::Result<()> {
    let bowl = Shared::new(Mutex::new(0))?;
    parallel! { for name in ["Rex", "Fido"] => dog(&bowl, name) }?;
    println!("{} treats are in the bowl", bowl.lock()?);
    Ok(())
}
// ANCHOR_END: program
