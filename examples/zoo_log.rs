//! Three keepers write what they do into one log, which a manager keeps.
//!
//! ```console
//! $ cargo run --release --example zoo_log
//! ```

// ANCHOR: program
use psync::{manager::ListProxy, prelude::*};

#[process]
fn keeper(log: ListProxy<String>, name: &str) -> psync::Result<()> {
    for animal in ["zebra", "lion"] {
        log.push(format!("{name} feeds the {animal}"))?;
    }
    Ok(())
}

fn main() -> psync::Result<()> {
    let manager = Manager::start()?;
    let log = manager.list()?;
    let days = parallel! { for name in ["Ann", "Ben", "Cid"] => keeper(log.clone(), name) }?;
    days.into_iter().collect::<psync::Result<()>>()?;
    for line in log.to_vec()? {
        println!("{line}");
    }
    Ok(())
}
// ANCHOR_END: program
