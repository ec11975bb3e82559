//! Wrong options do not spoil the value.
use psync::prelude::*;

#[process]
fn one() -> u32 {
    1
}

fn main() {
    let (a, b) = parallel! {
        with name = 3, deadlin = 4, on_failure = "cancel", grace = std::time::Duration::ZERO, grace = std::time::Duration::ZERO;
        one(),
        one(),
    }
    .unwrap();
    let _: u32 = a + b;
}
