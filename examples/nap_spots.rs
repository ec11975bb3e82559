//! Three cats write down where they sleep, in one array of texts of up to 20 bytes.
//!
//! ```console
//! $ cargo run --release --example nap_spots
//! ```

// ANCHOR: program
use psync::prelude::*;

#[process(lock(spots as taken))]
fn nap(spots: Array<Text<20>>, place: usize, spot: &str) -> psync::Result<()> {
    taken[place] = spot.parse()?;
    Ok(())
}

fn main() -> psync::Result<()> {
    let cats =
        [("Minka", "windowsill"), ("Tom", "laundry basket"), ("Luna", "on top of the piano")];
    let spots = Array::zeroed(cats.len())?;
    let naps = parallel! {
        for (place, (_, spot)) in cats.iter().enumerate() => nap(spots.clone(), place, spot),
    }?;
    naps.into_iter().collect::<psync::Result<()>>()?;
    for ((cat, _), spot) in cats.iter().zip(spots.to_vec()?) {
        println!("{cat} sleeps here: {spot}");
    }
    Ok(())
}
// ANCHOR_END: program
