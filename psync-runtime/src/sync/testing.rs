//! What the tests of this crate need and programs do not. Not a public interface.

#[cfg(feature = "fault-points")]
pub mod faults;

use crate::shm::world::{self, Status};
use std::{sync::mpsc, thread, time::Duration};

/// Makes the world, so that processes that are forked from here on know of each other.
///
/// # Panics
/// If there is no memory for it.
pub fn make_world() {
    world::world().expect("memory for the world");
}

/// Reports the death of a child that the test has waited for, as the supervisor does for its own.
pub fn report_death(pid: i32) {
    let Some(world) = world::existing() else { return };
    let dead: Vec<_> =
        world.used().filter(|(id, slot)| slot.is_alive(*id) && slot.pid() == pid).collect();
    for (id, _) in dead {
        world.mark_dead(id, Status::UNKNOWN);
    }
}

/// How many deaths the world knows of. Whoever has gone to sleep since the last one has seen them all.
pub fn deaths() -> u32 {
    world::existing().map_or(0, world::World::deaths)
}

/// Whether locks of the dead bear no mark of the kernel in this process.
pub fn must_ask() -> bool {
    // Any lock, so that it has been found out.
    drop(super::Lock::new().lock());
    crate::sys::thread::must_ask()
}

/// Has this process do without the kernel's marks in locks, as it must with an unknown C library.
pub fn pretend_foreign_c_library() {
    crate::sys::thread::pretend_foreign_layout();
}

/// Ends the process with a message if the result is not dropped within a minute, so that a test that hangs says which it is.
pub fn watchdog(test: &'static str) -> Watchdog {
    let (alive, dropped) = mpsc::channel();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_mins(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{test} hangs");
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}

/// See [`watchdog`].
#[must_use = "it watches until it is dropped"]
#[derive(Debug)]
pub struct Watchdog {
    _alive: mpsc::Sender<()>,
}
