//! Whether the owner of a lock is dead, and whether those it lent the data to are.

use crate::{
    primitive::AtomicU32,
    shm::world::{self, Identity, Me, Wake, Watch},
    sys::{clock::Deadline, fault, procfs, thread},
};
use core::time::Duration;

/// How long children of a process that died may take to follow it before they are looked at one by one.
const GRACE: Duration = Duration::from_millis(50);
/// How long to wait for the end of a process of which only a thread may have died.
const DOUBT: Duration = Duration::from_secs(1);

/// Whether the table knows the owner to be dead. Costs next to nothing, unless the owner could not write down who it is and the kernel does not
/// mark locks.
pub(crate) fn is_known(tid: u32, holder: Option<Me>) -> bool {
    match holder {
        Some(holder) => is_dead(holder.id),
        None => thread::must_ask() && is_certain(tid, None),
    }
}

/// Whether the owner is dead, by asking the kernel.
pub(crate) fn is_certain(tid: u32, holder: Option<Me>) -> bool {
    let Ok(tid) = i32::try_from(tid) else { return true };
    match holder {
        Some(holder) => is_gone(holder.id) || !procfs::is_thread_alive(holder.pid, tid),
        // Killed before it could write down who it is.
        None => procfs::Stat::of(tid).is_none_or(|stat| stat.is_zombie()),
    }
}

/// Whether the table knows the process to be dead. Nobody is never known to be.
pub(crate) fn is_dead(id: Identity) -> bool {
    id != Identity::NOBODY && world::existing().is_some_and(|world| !world.is_alive(id))
}

/// Whether the process is dead, by asking the kernel.
pub(crate) fn is_gone(id: Identity) -> bool {
    id != Identity::NOBODY && world::existing().is_some_and(|world| !world.verify(id))
}

/// Waits until no process is left to which `dead` may have lent what its lock protects (UNSAFE.md, P3); false if the
/// deadline comes first.
pub(crate) fn await_orphans(dead: Me, deadline: Deadline) -> bool {
    if dead.id == Identity::NOBODY {
        return true;
    }
    let Some(world) = world::existing() else { return true };
    let doubt = Deadline::after(DOUBT);
    loop {
        let watch = Watch::new();
        if world.orphans(dead.id).next().is_none() || (doubt.is_over() && world.verify(dead.id)) {
            return true;
        }
        if deadline.is_over() {
            return false;
        }
        let nothing = AtomicU32::new(0);
        fault::point("death: orphans left");
        let wake = watch.wait(&nothing, 0, deadline.min(Deadline::after(GRACE)));
        fault::point("death: orphans looked after");
        if wake != Wake::Look && !world.verify_orphans(dead.id) {
            return true;
        }
    }
}
