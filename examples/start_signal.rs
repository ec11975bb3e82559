//! Four workers wait for one signal, and write themselves down in the order in which they get there.
//!
//! ```console
//! $ cargo run --release --example start_signal
//! ```

// ANCHOR: program
use psync::prelude::*;

#[shared]
struct Race {
    start: Event,
    arrived: Mutex<List<u32, 4>>,
}

#[process(wait(race.start), lock(race.arrived as arrived))]
fn run(race: &Race, worker: u32) {
    arrived.push(worker).expect("there is a line for each of the four");
}

fn main() -> psync::Result<()> {
    let race = Shared::new(Race::default())?;
    let workers = (1..=4).map(|worker| run::spawn(&race, worker)).collect::<Result<Vec<_>, _>>()?;
    println!("{} have arrived before the signal", race.arrived.lock()?.len());
    race.start.set();
    for worker in workers {
        worker.join()?;
    }
    println!("{} have arrived after it", race.arrived.lock()?.len());
    Ok(())
}
// ANCHOR_END: program
