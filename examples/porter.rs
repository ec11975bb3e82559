//! A porter waits for whatever comes first: a letter, the alarm, or the end of a shift.
//!
//! ```console
//! $ cargo run --release --example porter
//! ```

// ANCHOR: program
use psync::{Waitable, prelude::*, wait_any};
use std::time::Duration;

#[process]
fn postman(letters: Queue<String>, alarm: &Event) {
    letters.send("a letter for the house".to_string()).expect("the porter is there");
    alarm.set();
}

fn main() -> psync::Result<()> {
    let (letters, alarm) = (Queue::bounded(4)?, Shared::new(Event::new())?);
    println!("so early: {:?}", wait_any(&[&letters, &*alarm], Some(Duration::ZERO))?);

    let postman = postman::spawn(letters.clone(), &alarm)?;
    let mut left: Vec<(&str, &dyn Waitable)> =
        vec![("letters", &letters), ("alarm", &*alarm), ("postman", &postman)];
    let mut seen = Vec::new();
    while !left.is_empty() {
        let sources: Vec<&dyn Waitable> = left.iter().map(|(_, source)| *source).collect();
        // All that are ready, the last one first, so that the places of the others stay.
        for ready in wait_any(&sources, None)?.into_iter().rev() {
            seen.push(left.remove(ready).0);
        }
    }
    seen.sort_unstable();
    println!("{seen:?}: {}", letters.recv()?);
    Ok(())
}
// ANCHOR_END: program
