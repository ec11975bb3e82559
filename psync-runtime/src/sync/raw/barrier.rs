//! The barrier's rounds: who has arrived, and how each round ended.

use super::{
    death, me,
    mutex::{Held, RawMutex},
    presence::{Guest, Presence, Stay},
    spin::{Spin, Worth},
};
use crate::{
    primitive::{AtomicI32, AtomicU32, Ordering},
    shm::world::{Blocking, Identity, Slept, Wake, Watch, Whom},
    sys::{fault, futex, processors},
};

const WAITERS: u32 = 1;
const BROKEN: u32 = 2;
const NUMBER_SHIFT: u32 = 2;

/// How many broken rounds a party may be late to learn of its own.
const MEMORY: usize = 8;
const NO_ROUND: u32 = u32::MAX;

/// A barrier that a death inside breaks.
///
/// | `round` | meaning | left by |
/// |---|---|---|
/// | n, with or without `WAITERS` | round n collects arrivals | the last party (n+1), a reset while some wait (n+1), whoever breaks it (n+1 `BROKEN`) |
/// | n `BROKEN` | broken | a reset (n) |
///
/// A round ends with one store to `round`. The last rounds that were not crossed are kept, for parties that are slow to leave; they are written before
/// `round`. If the holder of the lock is killed, the next one breaks the barrier, whatever it was about: so how many have arrived is counted without
/// further ado. A party is present from its arrival until it leaves; if its process dies meanwhile, that breaks the round of the day.
///
/// All that a crossing changes lies in one cache line, which goes to the last party and back to those who wait: with any other layout more lines go to and fro. What
/// is only read then lies in the second.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct RawBarrier {
    arrivals: Arrivals,
    round: AtomicU32,
    spin: Spin,
    parties: u32,
    ends: Ends,
    presence: Presence,
}

const _: () = assert!(core::mem::offset_of!(RawBarrier, ends) == 64);

#[repr(C)]
#[derive(Debug)]
struct Arrivals {
    lock: RawMutex,
    /// How many have arrived in the present round.
    count: AtomicU32,
}

/// How rounds have ended that were not crossed.
#[repr(C, align(64))]
#[derive(Debug)]
struct Ends {
    /// The last rounds that were not crossed, in a circle; `NO_ROUND` where there were none yet.
    broken: [AtomicU32; MEMORY],
    /// How many rounds were not crossed.
    breaks: AtomicU32,
    /// The pid of the process whose death broke the barrier; 0 if it was none.
    broken_by: AtomicI32,
}

/// What an arrival led to.
#[derive(Debug)]
pub(crate) enum Arrival<'a> {
    /// It was the last, and everybody may go on.
    Crossed(u32),
    /// It is the last; everybody waits for [`RawBarrier::finish`].
    Last(Turn<'a>),
    /// Others are missing: [`RawBarrier::wait`].
    Early(Turn<'a>),
}

/// One party's place in a round. It leaves the barrier when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    number: u32,
    index: u32,
    _stay: Stay<'a>,
}

/// The index of a crossing, or the pid of the dead process (0 if none) that broke the barrier.
pub(crate) type Crossed = Result<u32, i32>;

const fn number(round: u32) -> u32 {
    round >> NUMBER_SHIFT
}

const fn after(number: u32) -> u32 {
    number.wrapping_add(1) & (u32::MAX >> NUMBER_SHIFT)
}

impl RawBarrier {
    pub(crate) const fn new(parties: u32) -> Self {
        Self {
            arrivals: Arrivals { lock: RawMutex::new(), count: AtomicU32::new(0) },
            round: AtomicU32::new(1 << NUMBER_SHIFT),
            spin: Spin::new(),
            parties,
            ends: Ends {
                broken: [const { AtomicU32::new(NO_ROUND) }; MEMORY],
                breaks: AtomicU32::new(0),
                broken_by: AtomicI32::new(0),
            },
            presence: Presence::new(),
        }
    }

    pub(crate) const fn parties(&self) -> u32 {
        self.parties
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.round.load(Ordering::Acquire) & BROKEN != 0
    }

    /// How many have arrived in the present round.
    pub(crate) fn waiting(&self) -> u32 {
        self.arrivals.count.load(Ordering::Relaxed)
    }

    fn hold(&self) -> Held<'_> {
        self.arrivals.lock.hold(|dead| {
            if !self.is_broken() {
                self.end_round(dead.pid, BROKEN);
            }
        })
    }

    /// Arrives. With `stop`, the last party does not end the round: it is told, and ends it with [`finish`](Self::finish).
    pub(crate) fn arrive(&self, stop: bool, blocking: &Blocking) -> Result<Arrival<'_>, i32> {
        loop {
            let watch = Watch::new();
            let mut asleep = false;
            let (now, arrival) = {
                let _held = self.hold();
                let now = number(self.round.load(Ordering::Relaxed));
                self.check(death::is_dead);
                if self.is_broken() {
                    return Err(self.ends.broken_by.load(Ordering::Relaxed));
                }
                let arrived = self.arrivals.count.load(Ordering::Relaxed);
                let is_missing = arrived < self.parties;
                (now, is_missing.then(|| self.record(now, arrived, stop, &mut asleep)))
            };
            // Without the lock, which is what those who wake up want next.
            if asleep {
                self.wake();
            }
            if let Some(arrival) = arrival {
                return arrival;
            }
            // The last party is about to end the round, so ours is the next one.
            self.sleep(watch, now, blocking);
            if blocking.is_over() && number(self.round.load(Ordering::Acquire)) == now {
                self.abort();
            }
        }
    }

    /// Writes the arrival in round `now` down; if that ends the round, `asleep` tells whether somebody is to be woken. Only under the
    /// lock.
    fn record(
        &self,
        now: u32,
        index: u32,
        stop: bool,
        asleep: &mut bool,
    ) -> Result<Arrival<'_>, i32> {
        let is_last = index + 1 == self.parties;
        if is_last && !stop {
            *asleep = self.begin_round(after(now), 0);
            return Ok(Arrival::Crossed(index));
        }
        let Ok(stay) = self.presence.enter(me()) else {
            self.end_round(0, BROKEN);
            return Err(0);
        };
        self.arrivals.count.store(index + 1, Ordering::Relaxed);
        fault::point("barrier: arrived");
        let turn = Turn { number: now, index, _stay: stay };
        Ok(if is_last { Arrival::Last(turn) } else { Arrival::Early(turn) })
    }

    /// Waits for the end of the round; breaks the barrier at the deadline.
    pub(crate) fn wait(&self, turn: &Turn<'_>, blocking: &Blocking) -> Crossed {
        let has_ended = || number(self.round.load(Ordering::Acquire)) != turn.number;
        if self.may_run_beside(turn) && self.spin.until(Worth::Meeting, 4, has_ended) {
            return self.outcome(turn);
        }
        let mut verify = false;
        loop {
            let watch = Watch::new();
            if has_ended() {
                return self.outcome(turn);
            }
            let is_dead = if verify { death::is_gone } else { death::is_dead };
            if verify || self.arrivals.lock.is_abandoned() || self.casualty(is_dead).is_some() {
                let _held = self.hold();
                self.check(is_dead);
            }
            if blocking.is_over() && !has_ended() {
                self.give_up(turn);
            }
            verify = self.sleep(watch, turn.number, blocking) == Slept::Woke(Wake::Verify);
        }
    }

    /// Whether all whom the turn waits for can be on their way at this moment, each on a processor of its own. If not, some of them need this one.
    fn may_run_beside(&self, turn: &Turn<'_>) -> bool {
        let missing = self.parties - turn.index - 1;
        missing < processors::usable()
    }

    /// Sleeps while round `now` lasts.
    fn sleep(&self, watch: Watch, now: u32, blocking: &Blocking) -> Slept {
        let seen = self.round.load(Ordering::Acquire);
        let marked = seen | WAITERS;
        if number(seen) != now {
            return Slept::Woke(Wake::Look);
        }
        let exchange =
            || self.round.compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed);
        if seen != marked && exchange().is_err() {
            return Slept::Woke(Wake::Look);
        }
        fault::point("barrier: falls asleep");
        let slept = blocking.sleep(watch, &self.round, marked, Whom::Unknown);
        fault::point("barrier: awake");
        slept
    }

    /// A process that died in here.
    fn casualty(&self, is_dead: fn(Identity) -> bool) -> Option<i32> {
        self.casualties(is_dead).next().map(|guest| guest.pid)
    }

    fn casualties(&self, is_dead: fn(Identity) -> bool) -> impl Iterator<Item = Guest<'_>> {
        self.presence.casualties(me().id, is_dead)
    }

    /// Breaks the barrier if somebody died in here. Only under the lock.
    fn check(&self, is_dead: fn(Identity) -> bool) {
        if let Some(pid) = self.casualty(is_dead)
            && !self.is_broken()
        {
            self.end_round(pid, BROKEN);
        }
    }

    /// Ends the round that the last party was stopped in.
    pub(crate) fn finish(&self, turn: &Turn<'_>) -> Crossed {
        {
            let _held = self.hold();
            if number(self.round.load(Ordering::Relaxed)) == turn.number {
                self.open(after(turn.number), 0);
                return Ok(turn.index);
            }
        }
        self.outcome(turn)
    }

    /// Breaks the barrier, unless the turn's round has ended.
    pub(crate) fn give_up(&self, turn: &Turn<'_>) {
        let _held = self.hold();
        if number(self.round.load(Ordering::Relaxed)) == turn.number {
            self.end_round(0, BROKEN);
        }
    }

    /// Breaks the barrier until it is reset.
    pub(crate) fn abort(&self) {
        let _held = self.hold();
        if !self.is_broken() {
            self.end_round(0, BROKEN);
        }
    }

    /// Makes the barrier as new; who waits finds its round broken.
    pub(crate) fn reset(&self) {
        let _held = self.hold();
        self.casualties(death::is_gone).for_each(|guest| guest.dismiss());
        let now = number(self.round.load(Ordering::Relaxed));
        if self.is_broken() {
            self.open(now, 0);
        } else if self.waiting() != 0 {
            self.end_round(0, 0);
        }
    }

    /// Ends the round without a crossing. Cut off by a kill, it is done again, as the breaking of the barrier.
    fn end_round(&self, dead: i32, state: u32) {
        let now = number(self.round.load(Ordering::Relaxed));
        self.ends.broken_by.store(dead, Ordering::Relaxed);
        fault::point("barrier: death noted");
        let breaks = self.ends.breaks.load(Ordering::Relaxed);
        self.ends.broken[breaks as usize % MEMORY].store(now, Ordering::Relaxed);
        fault::point("barrier: break noted");
        self.ends.breaks.store(breaks.wrapping_add(1), Ordering::Relaxed);
        fault::point("barrier: break counted");
        self.open(after(now), state);
    }

    /// The store that ends a round and begins round `next`; whether somebody may sleep in the old one. Only under the lock.
    fn begin_round(&self, next: u32, state: u32) -> bool {
        self.arrivals.count.store(0, Ordering::Relaxed);
        fault::point("barrier: count cleared");
        let before = self.round.swap(next << NUMBER_SHIFT | state, Ordering::AcqRel);
        fault::point("barrier: round begun");
        before & WAITERS != 0
    }

    fn open(&self, next: u32, state: u32) {
        if self.begin_round(next, state) {
            self.wake();
        }
    }

    /// Killed before this, it is the death that wakes them.
    #[cold]
    fn wake(&self) {
        self.spin.note_processor();
        futex::wake_all(&self.round);
        fault::point("barrier: woke");
    }

    /// How the round of `turn`, which has ended, did so.
    fn outcome(&self, turn: &Turn<'_>) -> Crossed {
        loop {
            let round = self.round.load(Ordering::Acquire);
            let dead = self.ends.broken_by.load(Ordering::Acquire);
            let known = self.ends.broken.each_ref().map(|round| round.load(Ordering::Acquire));
            if self.round.load(Ordering::Relaxed) & !WAITERS != round & !WAITERS {
                continue;
            }
            // With that many broken rounds since, it may be one that was forgotten; a spurious error is the lesser evil.
            let is_forgotten =
                known.iter().all(|&broken| broken != NO_ROUND && is_before(turn.number, broken));
            let crossed = !is_forgotten && !known.contains(&turn.number);
            return if crossed { Ok(turn.index) } else { Err(dead) };
        }
    }
}

/// Whether round `a` came before round `b`, as the numbers go round.
const fn is_before(a: u32, b: u32) -> bool {
    let distance = b.wrapping_sub(a) & (u32::MAX >> NUMBER_SHIFT);
    distance != 0 && distance <= u32::MAX >> (NUMBER_SHIFT + 1)
}

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
