//! A reference.
use psync::prelude::*;

#[shared]
static TEXT: &str = "";

fn main() {
    let _ = TEXT.len();
}
