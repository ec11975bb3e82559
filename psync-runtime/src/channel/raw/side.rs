//! One side of a queue: a door that one thread at a time goes through, for nearly nothing while always the same one does.

use super::{
    presence::{Presence, Role, Seat},
    sizes::{ALONE, ONCE_MORE},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{Identity, Me, Wake, Watch},
    sync::raw::{self, Acquired, RawMutex, Refusal},
    sys::{clock::Deadline, fault, futex, membarrier, thread},
};

/// In [`Side::bias`], beside the key: the owner may not enter any more.
const REVOKED: u64 = 1 << 31;
/// A robust lock that can be biased to one thread. The README of `channel` has the table of `bias` and the argument.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Side {
    /// Process (high half) and thread (low half) that enters without the lock; 0 if none does.
    bias: AtomicU64,
    revocations: AtomicU32,
    /// Who was inside last, by the lock, and how often in a row. Written under the lock.
    last: AtomicU64,
    streak: AtomicU32,
    lock: RawMutex,
}

/// A thread inside a side. Leaves when dropped.
#[must_use = "it is the right to be inside"]
#[derive(Debug)]
pub(crate) struct Door<'a> {
    side: &'a Side,
    /// That of this thread's process.
    seat: &'a Seat,
    by_lock: bool,
}

/// This thread, among all of the program; 0 if it is not known yet.
#[inline]
fn key() -> u64 {
    let process = raw::known_bits() & u64::from(u32::MAX);
    if process == 0 { 0 } else { process << 32 | u64::from(thread::tid()) }
}

#[allow(clippy::cast_possible_truncation, reason = "takes the key apart")]
const fn process_of(key: u64) -> Identity {
    Identity::from_bits((key >> 32) as u32)
}

impl Side {
    /// Calls `body` inside, once nobody else is; `None` if the deadline, which is asked for only if need be, comes first.
    ///
    /// # Panics
    /// If this thread is inside: it was interrupted there by a signal handler that uses the same queue.
    // A guard that is handed out would cost more than all the rest: it would be moved through memory.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that nothing is moved")]
    pub(crate) fn inside<R>(
        &self,
        presence: &Presence,
        role: Role,
        deadline: impl FnOnce() -> Deadline,
        body: impl FnOnce() -> R,
    ) -> Option<R> {
        let key = key();
        if key != 0 && self.bias.load(Ordering::Relaxed) == key {
            let seat = presence.seat(process_of(key), role);
            if self.enter_by_bias(seat, key) {
                let _leaves = ByBias { side: self, seat, key };
                return Some(body());
            }
        }
        let _door = self.enter_by_lock(presence, role, deadline())?;
        Some(body())
    }

    /// Waits until nobody else is inside, and enters; `None` if the deadline comes first.
    pub(crate) fn enter<'a>(
        &'a self,
        presence: &'a Presence,
        role: Role,
        deadline: Deadline,
    ) -> Option<Door<'a>> {
        let key = key();
        let seat = presence.seat(process_of(key), role);
        if key != 0 && self.bias.load(Ordering::Relaxed) == key && self.enter_by_bias(seat, key) {
            return Some(Door { side: self, seat, by_lock: false });
        }
        self.enter_by_lock(presence, role, deadline)
    }

    #[inline]
    fn enter_by_bias(&self, seat: &Seat, key: u64) -> bool {
        if seat.inside.load(Ordering::Relaxed) != 0 {
            reentered();
        }
        seat.inside.store(1, Ordering::Relaxed);
        membarrier::light_taking_part();
        // Pairs with the barrier in `revoke`.
        if self.bias.load(Ordering::Acquire) == key {
            fault::point("queue: inside by bias");
            return true;
        }
        self.leave_by_bias(seat, key);
        false
    }

    #[inline]
    fn leave_by_bias(&self, seat: &Seat, key: u64) {
        seat.inside.store(0, Ordering::Release);
        membarrier::light_taking_part();
        if self.bias.load(Ordering::Relaxed) != key {
            futex::wake_all(&seat.inside);
        }
    }

    #[cold]
    fn enter_by_lock<'a>(
        &'a self,
        presence: &'a Presence,
        role: Role,
        deadline: Deadline,
    ) -> Option<Door<'a>> {
        raw::me();
        match self.lock.lock(&deadline.into()) {
            Ok(Acquired::Clean) => {}
            // What is behind the lock is whole at every moment.
            Ok(Acquired::Inherited(_)) => self.lock.adopt(),
            Err(Refusal::TimedOut) => return None,
            Err(Refusal::Deadlock) => reentered(),
        }
        let seat = presence.seat(process_of(key()), role);
        let door = Door { side: self, seat, by_lock: true };
        fault::point("queue: inside by lock");
        self.revoke(presence, role, deadline).then_some(door)
    }

    /// Sees that nobody enters by a bias. Only under the lock. False if the deadline comes first.
    #[inline]
    fn revoke(&self, presence: &Presence, role: Role, deadline: Deadline) -> bool {
        let bias = self.bias.load(Ordering::Relaxed);
        bias == 0 || bias == key() || self.revoke_from(bias, presence, role, deadline)
    }

    #[cold]
    fn revoke_from(&self, bias: u64, presence: &Presence, role: Role, deadline: Deadline) -> bool {
        self.bias.store(bias | REVOKED, Ordering::SeqCst);
        fault::point("queue: bias revoked");
        membarrier::heavy();
        let owner = bias & !REVOKED;
        let seat = presence.seat(process_of(owner), role);
        let mut certain = false;
        loop {
            let watch = Watch::new();
            if seat.inside.load(Ordering::Acquire) == 0 || is_dead(owner, certain) {
                break;
            }
            if deadline.is_over() {
                return false;
            }
            certain = watch.wait(&seat.inside, 1, deadline) == Wake::Verify;
        }
        fault::point("queue: biased owner is out");
        self.bias.store(0, Ordering::Relaxed);
        let revocations = self.revocations.load(Ordering::Relaxed);
        self.revocations.store(revocations.saturating_add(1), Ordering::Relaxed);
        true
    }

    /// On the way out, under the lock: whether this thread has been alone for long enough to get the bias.
    #[inline]
    fn consider(&self, key: u64, seat: &Seat) {
        if self.last.load(Ordering::Relaxed) != key {
            self.last.store(key, Ordering::Relaxed);
            self.streak.store(0, Ordering::Relaxed);
            return;
        }
        let streak = self.streak.load(Ordering::Relaxed).saturating_add(1);
        self.streak.store(streak, Ordering::Relaxed);
        let revocations = self.revocations.load(Ordering::Relaxed);
        let wanted =
            if revocations == 0 { ALONE } else { (ALONE * ONCE_MORE) << revocations.min(12) };
        if streak >= wanted {
            self.grant(key, seat);
        }
    }

    #[cold]
    fn grant(&self, key: u64, seat: &Seat) {
        self.streak.store(0, Ordering::Relaxed);
        if key == 0 || self.bias.load(Ordering::Relaxed) != 0 || !membarrier::takes_part() {
            return;
        }
        let owner = seat.owner.load(Ordering::Relaxed);
        if process_of(owner) != process_of(key) {
            // The slot's earlier process is dead, and its seat with it.
            seat.inside.store(0, Ordering::Relaxed);
            seat.owner.store(key, Ordering::Relaxed);
        } else if owner != key {
            return;
        }
        fault::point("queue: seat taken");
        // Nobody else reads it before the lock is free, and whoever has the lock then takes the bias away first.
        self.bias.store(key, Ordering::Relaxed);
    }
}

/// Whether the thread with this key is dead: as far as the table knows, or by asking the kernel.
#[allow(clippy::cast_possible_truncation, reason = "takes the key apart")]
fn is_dead(key: u64, certain: bool) -> bool {
    let id = process_of(key);
    if !certain {
        return raw::is_dead(id);
    }
    let pid = crate::shm::world::existing().map_or(0, |world| world.slot(id).pid());
    raw::is_certain(key as u32, Some(Me { id, pid }))
}

#[cold]
fn reentered() -> ! {
    panic!("a signal handler uses the queue that it has interrupted")
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        if self.by_lock {
            self.side.consider(key(), self.seat);
            self.side.lock.unlock();
        } else {
            self.side.leave_by_bias(self.seat, key());
        }
    }
}

/// The same for [`Side::inside`].
struct ByBias<'a> {
    side: &'a Side,
    seat: &'a Seat,
    key: u64,
}

impl Drop for ByBias<'_> {
    #[inline]
    fn drop(&mut self) {
        self.side.leave_by_bias(self.seat, self.key);
    }
}

#[cfg(test)]
#[path = "side_tests.rs"]
mod tests;
