//! The thread that waits for deaths: what the dead held is given back, whether or not they ever called.

use super::Table;
use crate::{
    shm::world::{Wake, Watch},
    sys::clock::Deadline,
};
use std::sync::Arc;

/// Starts it. Without it, what a client held that had no connection would be kept to the end.
pub(super) fn start(table: &Arc<Table>) {
    let table = Arc::clone(table);
    let keeper = std::thread::Builder::new().name("manager keeper".to_owned());
    let _ = keeper.spawn(move || keep(&table));
}

fn keep(table: &Table) {
    let mut wake = Wake::Look;
    loop {
        // Before the look: a death after it ends the wait.
        let watch = Watch::new();
        table.sweep(wake == Wake::Verify);
        wake = watch.wait_words(&[], Deadline::NEVER);
    }
}
