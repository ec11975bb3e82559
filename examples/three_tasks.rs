//! Three processes say what they are called.
//!
//! ```console
//! $ cargo run --release --example three_tasks
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn task() {
    println!("this is `{}`", psync::current().name());
}

fn main() -> psync::Result<()> {
    let names = ["sow", "water", "harvest"];
    for task in names.map(|name| task::spawn_with(Options::new().name(name))) {
        task?.join()?;
    }
    Ok(())
}
// ANCHOR_END: program
