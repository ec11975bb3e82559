//! All-zero bytes of something that is never all zero.
#![allow(unused)]
use psync::prelude::*;

#[shared]
struct A {
    #[init(Semaphore::new(3))]
    semaphore: Semaphore,
}

fn main() {
    let _ = Shared::<A>::zeroed();
}
