//! Three cooks need a recipe; whoever needs it first writes it, for all.
//!
//! ```console
//! $ cargo run --release --example recipe
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn cook(recipe: &Once<Text<32>>) -> Text<32> {
    *recipe.get_or_init(|| {
        println!("somebody writes the recipe");
        "two eggs, some flour".parse().expect("it is shorter than 32 bytes")
    })
}

fn main() -> psync::Result<()> {
    let recipe = Shared::new(Once::new())?;
    for known in parallel! { for _ in 0..3 => cook(&recipe) }? {
        println!("a cook takes {known}");
    }
    Ok(())
}
// ANCHOR_END: program
