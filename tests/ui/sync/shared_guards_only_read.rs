//! What several guards may refer to at a time is not changed through any of them.

use psync::{ReentrantMutex, RwLock};

fn main() {
    let (again, table) = (ReentrantMutex::new(0), RwLock::new([0; 3]));
    *again.lock().unwrap() += 1;
    table.read().unwrap()[1] = 2;
}
