//! A type that only the trait bound can judge.
use psync::prelude::*;

struct Plain(u32);

#[shared]
static PLAIN: Plain = Plain(1);

fn main() {
    let _ = PLAIN.0;
}
