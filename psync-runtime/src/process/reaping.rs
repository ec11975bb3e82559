//! Waiting for the processes that this one is the real parent of: those of `StartMethod::Fork`, and orphans that came to it.

use super::status;
use crate::{
    primitive::{AtomicUsize, Ordering},
    shm::world::{Identity, Method, Status, World, existing, me},
    sys::{fork_lock::ForkLock, pidfd::PidFd},
};

/// Between the kernel's word that a process has ended and the table's, nobody else may ask.
static REAPING: ForkLock = ForkLock::new();

/// How many processes this one has forked that may not have been waited for; more than there are, rather than fewer.
static FORKED: AtomicUsize = AtomicUsize::new(0);

/// Notes that this process has forked a child.
pub(crate) fn forked() {
    FORKED.fetch_add(1, Ordering::Relaxed);
}

/// Records the end of a process that has ended. If it is not our child, or somebody else has waited for it, nobody knows how.
pub(crate) fn settle(world: &World, id: Identity, pidfd: &PidFd) {
    let _reaping = REAPING.lock();
    if world.is_alive(id) {
        world.mark_dead(id, pidfd.reap().map_or(Status::UNKNOWN, status::to_word));
    }
}

/// Records the ends of all forked children that have ended, so that no zombie stays whose handle is gone.
pub(crate) fn settle_all() {
    if FORKED.load(Ordering::Relaxed) == 0 {
        return;
    }
    let Some(world) = existing() else { return };
    for (id, slot) in world.children_of(me().id).filter(|(_, slot)| slot.method() == Method::Fork) {
        let _reaping = REAPING.lock();
        // We are its parent, so its pid stays its own until we have waited for it, which only happens under the lock.
        if slot.is_alive(id)
            && let Ok(pidfd) = PidFd::open(slot.pid())
            && let Some(status) = pidfd.reap()
        {
            world.mark_dead(id, status::to_word(status));
            FORKED.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
