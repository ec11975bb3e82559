//! Captures that are no names, and one that is missing.
use psync::prelude::*;

fn main() {
    let (mut a, b) = (1, 2);
    a += 1;
    let _ = parallel! { process(mut a, &mut b, a + b, a) { a } };
    let _ = parallel! { process(a) { a + b } };
}
