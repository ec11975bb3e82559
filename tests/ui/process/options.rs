//! Several mistakes in the options, and none from the calls.
use psync::prelude::*;

#[process(dameon, name = 3, wait, lock(farm.pen), daemon, daemon = false)]
fn work(farm: &Farm, n: u32) -> u32 {
    n
}

#[shared]
struct Farm {
    pen: Lock,
}

fn main() {
    let farm = Shared::new(Farm::default()).unwrap();
    let _: u32 = work::run(&farm, 1).unwrap();
    let _ = work::spawn(&farm, 2).unwrap().join();
    let _ = parallel! { work(&farm, 3) };
}
