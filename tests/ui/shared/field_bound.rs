//! A type that only the trait bound can judge.
use psync::prelude::*;

struct Plain(u32);

#[shared]
struct Wrong {
    plain: Plain,
    fine: u32,
}

fn main() {
    let _ = Shared::new(Wrong { plain: Plain(1), fine: 2 });
}
