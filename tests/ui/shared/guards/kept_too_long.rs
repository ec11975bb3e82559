//! What a guard gives, after the guard.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct Farm {
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
}

fn main() {
    let farm = Farm::default();
    let mut pen = farm.lock_pen().unwrap();
    let acorns: &mut u32 = &mut pen.acorns;
    drop(pen);
    *acorns += 1;
}
