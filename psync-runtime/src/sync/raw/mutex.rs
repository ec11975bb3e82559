//! The robust lock word: a futex that names its owner and that the kernel marks when the owner dies.

use super::{
    death, known_bits, me,
    spin::{Spin, Worth},
};
use crate::{
    primitive::{AtomicU32, AtomicU64, Ordering},
    shm::world::{Blocking, Me, Slept, Wake, Watch, Whom},
    sys::{
        clock::Deadline,
        fault,
        thread::{self, Pending, RobustNode},
    },
};

const FREE: u32 = 0;
const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const TID: u32 = 0x3fff_ffff;

/// A lock whose owner may be killed at any instruction.
///
/// | word | meaning | left by |
/// |---|---|---|
/// | 0 | free | whoever takes it (`tid`) |
/// | `tid` | held, nobody sleeps | its owner (0), a waiter (adds `WAITERS`), the kernel when the owner dies (`OWNER_DIED`) |
/// | `tid WAITERS` | held, somebody may sleep | its owner (0, and wakes), the kernel (`OWNER_DIED WAITERS`, and wakes) |
/// | `OWNER_DIED`, `OWNER_DIED WAITERS` | the owner is dead | whoever takes it over (adds its `tid`) |
/// | `tid OWNER_DIED`, with or without `WAITERS` | taken over; `holder` still tells about the dead owner | the new owner, once it has settled the inheritance ([`RawMutex::adopt`]), or gives up ([`RawMutex::abandon`]) |
///
/// `holder` is the owning process while the data behind the lock may be written to, and 0 otherwise. What the next owner finds if
/// this one is killed right after a line:
///
/// | line | the word then | `holder` | the next owner finds |
/// |---|---|---|---|
/// | *lock:* pending | as before | 0 | nothing happened |
/// | word: 0 → `tid` | `OWNER_DIED`: the node is pending | 0 | a clean lock: the data was not touched |
/// | link | `OWNER_DIED`: the node is in the list; it stays pending until this thread's next step, of any lock | 0 | the same |
/// | `holder` = me | `OWNER_DIED` | me | a death: the data is suspect |
/// | *unlock:* pending | `OWNER_DIED` | me | the same |
/// | `holder` = 0 | `OWNER_DIED` | 0 | a clean lock: the data is whole |
/// | unlink | `OWNER_DIED`: the node is pending | 0 | the same |
/// | word: → 0 | 0; the kernel wakes one waiter, since the node is pending | 0 | a free lock |
/// | clear pending | 0 | 0 | a free lock; sleepers are woken by the death itself |
/// | *take over:* word: adds `tid` | `OWNER_DIED` | the dead | the first death again |
/// | poison | `OWNER_DIED` | the dead | the same, poisoned once more |
/// | `holder` = me | `OWNER_DIED` | me | a second death, of a lock that is poisoned anyway |
/// | word: drops `OWNER_DIED` | `OWNER_DIED` | me | the same |
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawMutex {
    word: AtomicU32,
    spin: Spin,
    holder: AtomicU64,
    /// Cause (high half) and pid (low half) of what made the data suspect; 0 if it is not.
    poison: AtomicU64,
    node: RobustNode,
}

// The kernel finds the word 32 bytes before the node's `next`, which is the node's second field.
const _: () = assert!(core::mem::offset_of!(RawMutex, word) == 0);
const _: () = assert!(core::mem::offset_of!(RawMutex, node) == 24);
const _: () = assert!(size_of::<RawMutex>() == 40);

/// How a lock was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    Clean,
    /// Taken over from this process, which died while it held the lock. Call [`RawMutex::adopt`] or [`RawMutex::abandon`].
    Inherited(Me),
}

/// Why a lock was not acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    TimedOut,
    /// This thread holds it already, or waits for itself over others, which [`Blocking`] knows.
    Deadlock,
}

/// Why data is suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Poison {
    pub(crate) pid: i32,
    /// A panic; otherwise a death.
    pub(crate) panicked: bool,
}

const DIED: u64 = 1 << 32;
const PANICKED: u64 = 2 << 32;

impl RawMutex {
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU32::new(FREE),
            spin: Spin::new(),
            holder: AtomicU64::new(0),
            poison: AtomicU64::new(0),
            node: RobustNode::new(),
        }
    }

    /// Acquires the lock; waits for that.
    #[inline]
    pub(crate) fn lock(&self, blocking: &Blocking) -> Result<Acquired, Refusal> {
        if self.take_free() { Ok(Acquired::Clean) } else { self.lock_contended(blocking) }
    }

    /// Acquires the lock if nobody holds it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Acquired> {
        if self.take_free() { Some(Acquired::Clean) } else { self.try_lock_dead() }
    }

    /// Acquires the lock if that is simple: the fast path of the others, which do without it what it does not do.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call costs a tenth of what it is about")]
    pub(crate) fn take_free(&self) -> bool {
        let me = known_bits();
        if me == 0 {
            return false;
        }
        let Some((tid, pending)) = thread::pending_at_once(&self.node) else { return false };
        if self.word.compare_exchange(FREE, tid, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        fault::point("mutex: taken");
        pending.link();
        fault::point("mutex: linked");
        self.holder.store(me, Ordering::Relaxed);
        // Before any store to the data.
        thread::kill_fence();
        fault::point("mutex: holder set");
        true
    }

    /// Takes the lock from `seen`, which has no owner.
    fn take(&self, seen: u32, waiters: u32) -> Option<Acquired> {
        let me = me().bits();
        let (tid, pending) = thread::pending(&self.node);
        let next = tid | seen | waiters;
        self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed).ok()?;
        fault::point("mutex: taken slowly");
        pending.link();
        fault::point("mutex: linked slowly");
        let dead = if seen & OWNER_DIED == 0 { 0 } else { self.holder.load(Ordering::Relaxed) };
        if let Some(dead) = Me::from_bits(dead) {
            return Some(Acquired::Inherited(dead));
        }
        self.holder.store(me, Ordering::Relaxed);
        thread::kill_fence();
        fault::point("mutex: holder set slowly");
        if seen & OWNER_DIED != 0 {
            self.drop_mark();
            fault::point("mutex: death mark dropped");
        }
        Some(Acquired::Clean)
    }

    #[cold]
    fn try_lock_dead(&self) -> Option<Acquired> {
        let seen = self.word.load(Ordering::Relaxed);
        if seen & TID == 0 {
            return self.take(seen, 0);
        }
        let unmarked = self.is_left_unmarked(seen);
        if unmarked && self.exchange(seen, OWNER_DIED | seen & WAITERS) {
            fault::point("mutex: owner found dead in passing");
            return self.take(OWNER_DIED | seen & WAITERS, 0);
        }
        None
    }

    /// [`lock`](Self::lock) without its fast path.
    #[cold]
    pub(crate) fn lock_contended(&self, blocking: &Blocking) -> Result<Acquired, Refusal> {
        let owner = || self.owner();
        // Whoever has slept does not know whether others still do.
        let mut waiters = 0;
        loop {
            let watch = Watch::new();
            let seen = self.word.load(Ordering::Acquire);
            if seen & TID == 0 {
                if let Some(acquired) = self.take(seen, waiters) {
                    return Ok(acquired);
                }
                continue;
            }
            if seen & TID == thread::tid() && self.is_held_by_me(seen) {
                return Err(Refusal::Deadlock);
            }
            if waiters == 0 {
                if blocking.is_over() {
                    return Err(Refusal::TimedOut);
                }
                if seen & WAITERS == 0 && self.spin.until(Worth::Lock, 64, || self.is_unowned()) {
                    continue;
                }
            }
            if seen & WAITERS == 0 && !self.exchange(seen, seen | WAITERS) {
                continue;
            }
            fault::point("mutex: waiters set");
            // Only after others could have learned that there may still be sleepers besides us.
            if blocking.is_over() {
                return Err(Refusal::TimedOut);
            }
            if self.is_orphaned(seen | WAITERS, death::is_known) {
                self.exchange(seen | WAITERS, OWNER_DIED | WAITERS);
                fault::point("mutex: owner known to be dead");
                continue;
            }
            waiters = WAITERS;
            fault::point("mutex: falls asleep");
            let slept = blocking.sleep(watch, &self.word, seen | WAITERS, Whom::Owner(&owner));
            fault::point("mutex: awake");
            if slept == Slept::Deadlock {
                return Err(Refusal::Deadlock);
            }
            if slept == Slept::Woke(Wake::Verify)
                && self.is_orphaned(seen | WAITERS, death::is_certain)
            {
                self.exchange(seen | WAITERS, OWNER_DIED | WAITERS);
                fault::point("mutex: owner proved to be dead");
            }
        }
    }

    fn exchange(&self, old: u32, new: u32) -> bool {
        self.word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn is_unowned(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TID == 0
    }

    /// Whether the owner that `seen` names is dead, although the kernel has not marked the word.
    fn is_orphaned(&self, seen: u32, is_dead: fn(u32, Option<Me>) -> bool) -> bool {
        let holder = match seen & OWNER_DIED {
            0 => Me::from_bits(self.holder.load(Ordering::Acquire)),
            // It is about the owner before.
            _ => None,
        };
        // Otherwise `holder` may belong to a later owner.
        self.word.load(Ordering::Relaxed) == seen && is_dead(seen & TID, holder)
    }

    /// Whether the owner with our thread id is us, and not somebody dead whose id we were given.
    fn is_held_by_me(&self, seen: u32) -> bool {
        let holder = self.holder.load(Ordering::Relaxed);
        seen & OWNER_DIED != 0 || Me::from_bits(holder).is_some_and(|holder| holder.pid == me().pid)
    }

    /// Ends an inheritance: the lock is an ordinary one of this thread's from here on.
    pub(crate) fn adopt(&self) {
        self.holder.store(me().bits(), Ordering::Relaxed);
        fault::point("mutex: adopted");
        self.drop_mark();
        fault::point("mutex: inheritance settled");
    }

    /// Whoever sees the word without the mark takes `holder` for its owner, so it must not see the dead one there any more; and it must see the poison
    /// ([`is_suspect`](Self::is_suspect)).
    fn drop_mark(&self) {
        self.word.fetch_and(!OWNER_DIED, Ordering::Release);
    }

    /// Leaves an inheritance to the next one.
    pub(crate) fn abandon(&self) {
        let (_, pending) = thread::pending(&self.node);
        pending.unlink();
        fault::point("mutex: inheritance unlinked");
        let before = self.word.swap(OWNER_DIED, Ordering::Release);
        fault::point("mutex: abandoned");
        drop(pending);
        if before & WAITERS != 0 {
            self.wake();
        }
    }

    /// Releases the lock. Nothing happens in a thread that does not hold it, such as one that was forked with a guard.
    #[inline]
    pub(crate) fn unlock(&self) {
        if !self.unlock_simply() {
            self.unlock_among_others();
        }
    }

    /// [`unlock`](Self::unlock) if that is simple: the fast path.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as for `take_free`")]
    pub(crate) fn unlock_simply(&self) -> bool {
        let pending = thread::pending_if_alone(&self.node);
        pending.map(|pending| self.release(pending, Pending::unlink_alone)).is_some()
    }

    /// [`unlock`](Self::unlock) in a thread that may hold others, or not this one.
    #[cold]
    pub(crate) fn unlock_among_others(&self) {
        let (tid, pending) = thread::pending(&self.node);
        if self.word.load(Ordering::Relaxed) & TID == tid {
            self.release(pending, Pending::unlink);
        }
    }

    #[inline]
    fn release<'a>(&self, pending: Pending<'a>, unlink: impl FnOnce(&Pending<'a>)) {
        // The begin of `pending` keeps this store behind those to the data.
        self.holder.store(0, Ordering::Relaxed);
        fault::point("mutex: holder cleared");
        unlink(&pending);
        fault::point("mutex: unlinked");
        let before = self.word.swap(FREE, Ordering::Release);
        fault::point("mutex: released");
        drop(pending);
        if before & WAITERS != 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.spin.note_processor();
        crate::sys::futex::wake(&self.word, 1);
        fault::point("mutex: woke");
    }

    /// Whether this thread holds the lock.
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TID == thread::tid()
    }

    /// The same, and certain also where somebody dead had this thread's id.
    #[inline]
    pub(crate) fn is_surely_mine(&self) -> bool {
        self.is_mine() && self.is_of_this_process()
    }

    /// Whether a thread of this process holds the lock, for a guard of it: that thread's, or a copy that a fork has made.
    #[inline]
    pub(crate) fn is_of_this_process(&self) -> bool {
        // By the pid alone: the process may have become one of a program with a world since it took the lock.
        (self.holder.load(Ordering::Relaxed) ^ known_bits()) >> 32 == 0
    }

    /// Whether somebody who is alive holds the lock.
    pub(crate) fn is_locked(&self) -> bool {
        let seen = self.word.load(Ordering::Relaxed);
        seen & TID != 0 && !self.is_left_unmarked(seen)
    }

    /// Whether its owner died and nobody has taken it over.
    pub(crate) fn is_abandoned(&self) -> bool {
        let seen = self.word.load(Ordering::Relaxed);
        seen & !WAITERS == OWNER_DIED || self.is_left_unmarked(seen)
    }

    /// Whether an owner died, and nobody has settled that, or what it has left is poisoned.
    pub(crate) fn is_suspect(&self) -> bool {
        let seen = self.word.load(Ordering::Acquire);
        seen & OWNER_DIED != 0 || self.poison().is_some() || self.is_left_unmarked(seen)
    }

    /// The same where the kernel marks nothing.
    fn is_left_unmarked(&self, seen: u32) -> bool {
        thread::must_ask() && seen & TID != 0 && self.is_orphaned(seen, death::is_certain)
    }

    /// The pid (0 if it is not known yet) and thread id of the owner.
    pub(crate) fn owner(&self) -> Option<(i32, u32)> {
        let tid = self.word.load(Ordering::Acquire) & TID;
        let holder = Me::from_bits(self.holder.load(Ordering::Relaxed));
        (tid != 0).then(|| (holder.map_or(0, |holder| holder.pid), tid))
    }

    #[inline]
    pub(crate) fn poison(&self) -> Option<Poison> {
        let poison = self.poison.load(Ordering::Relaxed);
        if poison == 0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
        let pid = (poison as u32).cast_signed();
        Some(Poison { pid, panicked: poison & PANICKED != 0 })
    }

    /// [`poison`](Self::poison), or that which is to come since the owner died while it might write to the data.
    pub(crate) fn poison_soon(&self) -> Option<Poison> {
        self.poison().or_else(|| {
            let dead = Me::from_bits(self.holder.load(Ordering::Relaxed))?;
            self.is_abandoned().then_some(Poison { pid: dead.pid, panicked: false })
        })
    }

    pub(crate) fn set_poison(&self, poison: Poison) {
        let cause = if poison.panicked { PANICKED } else { DIED };
        let word = cause | u64::from(poison.pid.cast_unsigned());
        self.poison.store(word, Ordering::Relaxed);
        fault::point("mutex: poisoned");
    }

    pub(crate) fn clear_poison(&self) {
        self.poison.store(0, Ordering::Relaxed);
        fault::point("mutex: poison cleared");
    }

    /// For state machines that have their state behind the lock: holds it until the result is dropped. After a death,
    /// `mend` makes the state whole before anything else; it may be cut off and is then called again.
    ///
    /// # Panics
    /// If this thread holds the lock: it was interrupted there by a signal handler that uses the same primitive.
    #[inline]
    pub(crate) fn hold(&self, mend: impl FnOnce(Me)) -> Held<'_> {
        if !self.take_free() {
            self.hold_contended(mend);
        }
        Held(self)
    }

    #[cold]
    fn hold_contended(&self, mend: impl FnOnce(Me)) {
        match self.lock_contended(&Deadline::NEVER.into()) {
            Ok(Acquired::Clean) => {}
            Ok(Acquired::Inherited(dead)) => {
                mend(dead);
                self.adopt();
            }
            Err(_) => reentered(),
        }
    }
}

#[cold]
fn reentered() -> ! {
    panic!("a signal handler uses the primitive that it has interrupted")
}

/// A lock that is released when this is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a RawMutex);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

#[cfg(test)]
#[path = "mutex_tests.rs"]
mod tests;
