//! What a container holds is looked at.
use psync::prelude::*;

#[shared]
static NAMES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn main() {
    let _ = NAMES.is_locked();
}
