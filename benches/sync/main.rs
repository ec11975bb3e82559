//! What the primitives cost, beside those of `std`, `parking_lot` and the C library: alone, between two processes, and after a kill.

#[path = "../measure/mod.rs"]
mod measure;

mod alone;
mod duo;
mod pair;
mod posix;
mod recovery;

use measure::Pace;

fn main() {
    let pace = Pace::from_caller();
    let mut rows = alone::rows(pace);
    rows.extend(pair::rows(pace));
    rows.push(recovery::row(pace));
    measure::print("Primitives", &rows, false);
}
