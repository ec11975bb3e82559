//! Animals on a farm: they wait for the bell, share two swings, write themselves down under a lock, and leave together through the
//! gate. Each of them is a process.
//!
//! ```console
//! $ cargo run --release --example farm
//! ```

// ANCHOR: shared
use psync::prelude::*;

/// What all animals see. It lies in shared memory, once.
#[shared]
struct Farm {
    bell: Event,
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    #[init(Barrier::with_action(5, open_gate))]
    gate: Barrier,
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
    #[guarded_by(pen)]
    diary: List<Text<16>, 5>,
}

/// Run once, by whoever comes to the gate last, before anybody passes.
fn open_gate() {
    println!("the gate opens");
}
// ANCHOR_END: shared

// ANCHOR: process
/// Holds one of the swings while it runs, however it ends.
#[process(acquire(farm.swings))]
fn swing(farm: &Farm, name: &str) {
    println!("{name} swings");
}

/// An animal's day, which begins with the bell. Returns its place in the queue at the gate.
#[process(wait(farm.bell))]
fn day(farm: &Farm, name: &str, found: u32) -> psync::Result<usize> {
    swing(farm, name);

    let mut pen = farm.lock_pen()?;
    *pen.acorns += found;
    pen.diary.push(name.parse()?).expect("there is a line for each of the five");
    drop(pen);

    println!("{name} is at the gate");
    Ok(farm.gate.wait()?.index())
}

/// The bell is set when the body is done.
#[process(set(farm.bell))]
fn ring(farm: &Farm) {
    println!("the farmer rings the bell");
}
// ANCHOR_END: process

// ANCHOR: main
fn main() -> psync::Result<()> {
    let farm = Shared::new(Farm::default())?;
    let animals = [("Bella", 4), ("Daisy", 5), ("Fred", 2), ("George", 1), ("Percy", 3)];

    let (places, ()) = parallel! {
        for (name, found) in animals => day(&farm, name, found),
        ring(&farm),
    }?;

    let mut places = places.into_iter().collect::<psync::Result<Vec<_>>>()?;
    places.sort_unstable();
    println!("places at the gate: {places:?}");

    let mut pen = farm.lock_pen()?;
    pen.diary.sort_unstable();
    let names: Vec<&str> = pen.diary.iter().map(Text::as_str).collect();
    println!("{} found {} acorns", names.join(", "), pen.acorns);
    Ok(())
}
// ANCHOR_END: main
