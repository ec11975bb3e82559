//! What everybody tries first: one error for each field, at its type.
use psync::prelude::*;

#[shared]
struct Wrong {
    name: String,
    list: Vec<u8>,
    inner: Mutex<Box<u8>>,
    std: std::sync::Mutex<u8>,
    pointer: *const u8,
    text: &'static str,
    letter: char,
    maybe: Option<u32>,
    fine: Value<u32>,
}

fn main() {
    // Neither of these is an error of its own.
    let wrong = Shared::<Wrong>::zeroed().unwrap();
    wrong.fine.set(1);
}
