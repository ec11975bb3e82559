//! Passengers look at a timetable, all at the same time, while the clerk changes all of it.
//!
//! ```console
//! $ cargo run --release --example timetable
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process]
fn look(departures: &RwLock<[u32; 4]>) -> Result<bool, LockError> {
    let departures = departures.read()?;
    Ok(departures.windows(2).all(|pair| pair[1] - pair[0] == 20))
}

#[process]
fn delay(departures: &RwLock<[u32; 4]>, minutes: u32) -> Result<(), LockError> {
    for departure in departures.write()?.iter_mut() {
        *departure += minutes;
    }
    Ok(())
}

fn main() -> psync::Result<()> {
    let departures = Shared::new(RwLock::new([5, 25, 45, 65]))?;
    let (regular, delayed) = parallel! {
        for _ in 0..4 => look(&departures),
        delay(&departures, 3),
    }?;
    delayed?;
    println!("all saw one timetable: {}", regular.iter().all(|seen| *seen == Ok(true)));
    println!("it is now {:?}", *departures.read()?);
    Ok(())
}
// ANCHOR_END: program
