//! A guarded field in a literal.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {
    let _ = Farm { pen: Lock::new(), acorns: 3 };
}
