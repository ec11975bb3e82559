//! `#[init]` that is empty, doubled, or useless.
use psync::prelude::*;

#[shared]
struct Empty {
    #[init]
    a: u32,
    #[init(1)]
    #[init(2)]
    b: u32,
}

#[shared(default = false)]
struct ByHand {
    #[init(1)]
    a: u32,
}

#[shared]
#[derive(Default)]
struct Derived {
    #[init(1)]
    a: u32,
}

fn main() {
    let _ = Empty::default();
}
