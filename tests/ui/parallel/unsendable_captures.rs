//! Captures that cannot cross.
use psync::prelude::*;

#[derive(Clone)]
struct Plain(u32);

fn main() {
    let plain = Plain(1);
    let _ = parallel! { process(plain) { plain.0 } };
    let _ = parallel! { process(&plain) { plain.0 } };
}
