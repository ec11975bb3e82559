//! Three processes say what they do, and one of them is ended by a signal.
//!
//! ```console
//! $ PSYNC_LOG=debug cargo run --release --example diary
//! ```

// ANCHOR: program
use psync::{log, prelude::*};

#[process]
fn sail(ship: &str) {
    log::info(format_args!("the {ship} leaves the harbour"));
    if ship == "Dart" {
        log::warn("ice ahead");
        std::process::abort();
    }
    log::trace("nothing but water");
}

fn main() -> psync::Result<()> {
    for ship in ["Anna", "Bee", "Dart"] {
        let options = Options::new().name(ship.to_lowercase());
        if sail::spawn_with(options, ship)?.join().is_err() {
            log::warn(format_args!("the {ship} is lost"));
        }
    }
    Ok(())
}
// ANCHOR_END: program
