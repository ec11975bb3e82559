//! The state machines behind the primitives: words and protocols, without typed data, guards or rich errors.

mod barrier;
mod death;
mod event;
mod mutex;
mod roster;
mod semaphore;
mod signal;
mod spin;
mod versions;

pub(crate) use barrier::{Arrival, RawBarrier, Turn};
pub(crate) use death::await_orphans;
pub(crate) use event::RawEvent;
pub(crate) use mutex::{Acquired, Poison, RawMutex, Refusal};
pub(crate) use semaphore::{Denied, RawSemaphore, Release};
pub(crate) use versions::Versions;

pub(crate) use crate::shm::world::{Identity, Me};
use crate::{
    primitive::{AtomicI32, Ordering},
    shm::world,
    sys::thread,
};

/// This process, as locks record it. Cheap also in a program that has no world.
#[inline]
pub(crate) fn me() -> Me {
    if world::existing().is_some() {
        return world::me();
    }
    let pid = match PID.load(Ordering::Relaxed) {
        0 => look_up_pid(),
        pid => pid,
    };
    Me { id: Identity::NOBODY, pid }
}

/// Our pid while there is no world; 0 until it is needed.
static PID: AtomicI32 = AtomicI32::new(0);

#[cold]
fn look_up_pid() -> i32 {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| thread::at_fork(|| PID.store(0, Ordering::Relaxed)));
    let pid = nix::unistd::getpid().as_raw();
    PID.store(pid, Ordering::Relaxed);
    pid
}
