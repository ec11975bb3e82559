//! Waiting for the processes that this one is the real parent of: those of `StartMethod::Fork`, and orphans that came to it.

use super::{link, status};
use crate::{
    primitive::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    shm::world::{Identity, Method, Status, Watch, World, existing, me},
    sys::{
        clock::Deadline,
        fork_lock::ForkLock,
        pidfd::PidFd,
        waiting::{self, How},
    },
};
use core::time::Duration;
use nix::{sys::wait::Id, unistd::Pid};

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

/// How long a supervisor may take to tell of an end that the kernel tells of already.
const GRACE: Duration = Duration::from_millis(200);

/// Looks after a process of the table when nothing has been heard for a while: whoever should tell of its end may be dead.
pub(crate) fn verify(world: &World, id: Identity) {
    link::check();
    let slot = world.slot(id);
    match PidFd::open(slot.pid()) {
        Ok(pidfd) if slot.is_alive(id) => {
            if pidfd.has_ended() {
                // The supervisor may just be at it, unless it is gone.
                let patience = if link::existing_link().is_some() { GRACE } else { Duration::ZERO };
                let deadline = Deadline::after(patience);
                let mut watch = Watch::new();
                // Other deaths end the sleep, too.
                while slot.is_alive(id) && !deadline.is_over() {
                    watch.wait(slot.word(), slot.state().low(), deadline);
                    watch = Watch::new();
                }
                settle(world, id, &pidfd);
            }
        }
        _ => drop(world.verify(id)),
    }
}

/// A supervisor has been killed. Its children may have become ours, as they do in a container's first process.
static ORPHANED: AtomicBool = AtomicBool::new(false);

/// Notes that there may be orphans from now on.
pub(crate) fn expect_orphans() {
    ORPHANED.store(true, Ordering::Relaxed);
}

/// Supervisors that were about to end when they were given up; 0 where there is none. Their pids stay theirs until they have been reaped.
static ENDING: [AtomicI32; 16] = [const { AtomicI32::new(0) }; 16];

/// Has a supervisor that is about to end be reaped with the orphans.
pub(crate) fn leave_for_later(pid: i32) {
    exchange_ending(0, pid);
}

fn exchange_ending(old: i32, new: i32) {
    let exchange = |cell: &&AtomicI32| {
        cell.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    };
    let _ = ENDING.iter().find(exchange);
}

/// Reaps orphans that have come to this process and ended, so that none stays a zombie.
pub(crate) fn adopt_orphans() {
    let (Some(world), true) = (existing(), ORPHANED.load(Ordering::Relaxed)) else { return };
    let ending = ENDING.iter().map(|cell| cell.load(Ordering::Relaxed)).filter(|&pid| pid != 0);
    for pid in ending {
        if reap(pid).is_some() {
            exchange_ending(pid, 0);
        }
    }
    for pid in world.idle() {
        if reap(pid).is_some() {
            world.forget_idle(pid);
        }
    }
    for (id, slot) in world.used() {
        let _reaping = REAPING.lock();
        if slot.is_alive(id)
            && let Some(status) = reap(slot.pid())
        {
            world.mark_dead(id, status::to_word(status));
        }
    }
}

/// How a child of this process ended, if it is one and has.
fn reap(pid: i32) -> Option<How> {
    waiting::reap(&Id::Pid(Pid::from_raw(pid))).map(|ended| ended.how)
}
