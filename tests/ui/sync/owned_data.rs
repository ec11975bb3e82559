//! What owns memory of one process is of no use to another, in whatever lock.

use psync::prelude::*;

#[shared]
struct Library {
    title: RwLock<String>,
    first: Once<String>,
    shelf: ReentrantMutex<Vec<u32>>,
    counted: RwLock<u32>,
}

fn main() {}
