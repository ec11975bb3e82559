//! Five animals wait for a bell, and then write themselves down one after the other.
//!
//! ```console
//! $ cargo run --release --example farm_bell
//! ```

// ANCHOR: program
use psync::{
    manager::{EventProxy, ListProxy, LockProxy},
    prelude::*,
};

#[process]
fn animal(
    bell: EventProxy,
    pen: LockProxy,
    diary: ListProxy<String>,
    name: &str,
) -> psync::Result<()> {
    bell.wait()?;
    let _turn = pen.lock()?;
    let place = diary.len()? + 1;
    diary.push(format!("{name} is number {place}"))?;
    Ok(())
}

fn main() -> psync::Result<()> {
    let manager = Manager::start()?;
    let (bell, pen, diary) = (manager.event()?, manager.lock()?, manager.list()?);
    let animals = ["cow", "pig", "hen", "cat", "dog"]
        .map(|name| animal::spawn(bell.clone(), pen.clone(), diary.clone(), name));
    println!("{} lines before the bell", diary.len()?);
    bell.set()?;
    for animal in animals {
        animal?.join()??;
    }
    for line in diary.to_vec()? {
        println!("{}", line.split(' ').next_back().unwrap_or_default());
    }
    Ok(())
}
// ANCHOR_END: program
