//! Animals on a farm: they wait for the bell, share two swings, write the records under a lock, and leave together through the gate.
//!
//! ```console
//! $ cargo run --release --example farm
//! ```

// ANCHOR: shared
use psync::prelude::*;
use std::time::Duration;

/// What all animals see. It lies in shared memory, once.
#[shared]
struct Farm {
    bell: Event,
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    on_swings: Value<u32>,
    most_on_swings: Value<u32>,
    #[init(Barrier::with_action(5, open_gate))]
    gate: Barrier,
    gate_opened: Value<u32>,
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
    #[guarded_by(pen)]
    diary: List<Text<16>, 8>,
}
// ANCHOR_END: shared

/// The action of the gate: run once, by whoever comes last, before anyone passes.
fn open_gate() {
    println!("the gate opens");
}

// ANCHOR: process
/// One animal's day. The bell and the swing are part of the declaration.
#[process(wait(farm.bell), acquire(farm.swings))]
fn swing(farm: &Farm, name: &str, turns: u32) -> psync::Result<()> {
    for _ in 0..turns {
        let together = farm.on_swings.update(|n| n + 1);
        farm.most_on_swings.update(|most| most.max(together));
        println!("{name} swings");
        farm.on_swings.update(|n| n - 1);
    }
    let mut pen = farm.lock_pen()?;
    *pen.acorns += turns;
    let name = Text::try_from(name)?;
    pen.diary.push(name).map_err(|_| psync::Error::from(std::io::Error::other("the diary is full")))
}
// ANCHOR_END: process

/// Waits at the gate until everybody is there.
#[process]
fn leave(farm: &Farm, name: String) -> Result<usize, BrokenBarrier> {
    println!("{name} is at the gate");
    let passed = farm.gate.wait()?;
    farm.gate_opened.update(|n| n + 1);
    Ok(passed.index())
}

#[process]
fn ring(farm: &Farm, after: Duration) {
    farm.bell.wait_timeout(after);
    println!("the farmer rings the bell");
    farm.bell.set();
}

// ANCHOR: main
fn main() -> psync::Result<()> {
    let farm = Shared::new(Farm::default())?;
    let animals = ["George", "Fred", "Percy", "Bella", "Daisy"];

    parallel! {
        for (turns, name) in (1..).zip(animals) => swing(&farm, name, turns),
        ring(&farm, Duration::from_millis(20)),
    }?;
    let places = parallel! {
        for name in animals => leave(&farm, name.to_string()),
    }?;

    let pen = farm.lock_pen()?;
    let mut diary: Vec<_> = pen.diary.iter().map(|name| name.to_string()).collect();
    diary.sort();
    println!("{} acorns, {} on the swings at most", *pen.acorns, farm.most_on_swings.get());
    println!("written down: {}", diary.join(", "));
    let mut places = places.into_iter().collect::<Result<Vec<_>, _>>()?;
    places.sort_unstable();
    println!("left as number {places:?}");
    Ok(())
}
// ANCHOR_END: main
