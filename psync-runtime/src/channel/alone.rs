//! Whether this process has but one thread that runs the user's code.

use crate::{
    shm::world::{self, Method},
    sys::procfs,
};

/// The main thread of a child that psync started only waits for the one that runs its function.
pub(super) fn is_only_thread() -> bool {
    let id = world::me().id;
    let waiting = match world::existing().map(|world| world.slot(id).method()) {
        Some(Method::Spawn) => 1,
        _ => 0,
    };
    procfs::thread_count().is_ok_and(|count| count <= 1 + waiting)
}
