//! Too few arguments, and one of the wrong type.
use psync::prelude::*;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let _ = add::run(1);
    let _ = add::spawn(1, "2");
    let _ = parallel! { add(1), add(1, 2, 3), add("1", 2) };
}
