//! What the primitives cost, beside those of `std`, `parking_lot` and the C library: alone, between two processes, and after a kill.

#[path = "../measure/mod.rs"]
mod measure;

mod alone;
mod duo;
mod pair;
mod posix;
mod recovery;

use measure::{Pace, Tail, python::Python};

fn main() {
    let pace = Pace::from_caller();
    let python = Python::start(include_str!("primitives.py"));
    println!("{}", python.report());
    measure::print("Primitives that nobody else uses", &alone::rows(&pace, &python), Tail::None);
    measure::print("Between two processes", &pair::rows(&pace, &python), Tail::P90);
    if let Some(recovery) = recovery::row(&pace) {
        let deaths = recovery.figures[0].samples();
        measure::print(&format!("After a kill ({deaths} of each)"), &[recovery], Tail::P99);
    }
}
