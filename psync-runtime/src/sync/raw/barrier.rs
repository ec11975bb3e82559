//! The barrier's rounds: who has arrived, and how each round ended.

use super::{
    death, me,
    mutex::{Held, RawMutex},
    roster::{Entry, Roster},
    spin::Spin,
};
use crate::{
    primitive::{AtomicI32, AtomicU32, AtomicU64, Ordering},
    shm::world::{Identity, Wake, Watch},
    sys::{clock::Deadline, futex},
};

const WAITERS: u32 = 1;
const BROKEN: u32 = 2;
const NUMBER_SHIFT: u32 = 2;
/// How many bits a round's number has.
const NUMBER_BITS: u32 = 32 - NUMBER_SHIFT;

/// A roster number is a count of arrivals and the low bits of the round that they belong to.
const COUNT: u32 = (1 << 22) - 1;
const TAG_SHIFT: u32 = 22;

/// A barrier that a death inside breaks.
///
/// | `round` | meaning | left by |
/// |---|---|---|
/// | n, with or without `WAITERS` | round n collects arrivals | the last party (n+1), a reset while some wait (n+1), whoever breaks it (n+1 `BROKEN`) |
/// | n `BROKEN` | broken | a reset (n) |
///
/// A round ends with one store to `round`. An arrival is one store to the roster and counts for the round that it is
/// tagged with, so nothing has to be cleared when a round ends. `history` has a bit for each of the last 64 rounds, set if the round was not
/// crossed; it is written before `round`. If the holder of the lock is killed, the next one breaks the barrier, whatever it was about.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct RawBarrier {
    lock: RawMutex,
    round: AtomicU32,
    spin: Spin,
    history: AtomicU64,
    /// The last round that was not crossed.
    last_break: AtomicU32,
    /// The pid of the process whose death broke the barrier; 0 if it was none.
    broken_by: AtomicI32,
    parties: u32,
    roster: Roster,
}

/// What an arrival led to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// It was the last, and everybody may go on.
    Crossed(u32),
    /// It is the last; everybody waits for [`RawBarrier::finish`].
    Last(Turn),
    /// Others are missing: [`RawBarrier::wait`].
    Early(Turn),
}

/// One party's place in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    number: u32,
    index: u32,
}

/// The index of a crossing, or the pid of the dead process (0 if none) that broke the barrier.
pub(crate) type Crossed = Result<u32, i32>;

const fn number(round: u32) -> u32 {
    round >> NUMBER_SHIFT
}

const fn after(number: u32) -> u32 {
    number.wrapping_add(1) & (u32::MAX >> NUMBER_SHIFT)
}

const fn tag(number: u32) -> u32 {
    number << TAG_SHIFT
}

const fn bit(number: u32) -> u64 {
    1 << (number % u64::BITS)
}

impl RawBarrier {
    pub(crate) const fn new(parties: u32) -> Self {
        Self {
            lock: RawMutex::new(),
            round: AtomicU32::new(1 << NUMBER_SHIFT),
            spin: Spin::new(),
            history: AtomicU64::new(0),
            last_break: AtomicU32::new(0),
            broken_by: AtomicI32::new(0),
            parties,
            roster: Roster::new(),
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
        let now = number(self.round.load(Ordering::Acquire));
        self.arrivals(now).map(|entry| entry.value() & COUNT).sum::<u32>().min(self.parties)
    }

    fn arrivals(&self, now: u32) -> impl Iterator<Item = Entry<'_>> {
        self.roster.entries().filter(move |entry| entry.value() & !COUNT == tag(now))
    }

    fn hold(&self) -> Held<'_> {
        self.lock.hold(|dead| {
            if !self.is_broken() {
                self.end_round(dead.pid, BROKEN);
            }
        })
    }

    /// Arrives. With `stop`, the last party does not end the round: it is told, and ends it with [`finish`](Self::finish).
    pub(crate) fn arrive(&self, stop: bool, deadline: Deadline) -> Result<Arrival, i32> {
        loop {
            let watch = Watch::new();
            let now = {
                let _held = self.hold();
                let now = number(self.round.load(Ordering::Relaxed));
                self.check(death::is_dead);
                if self.is_broken() {
                    return Err(self.broken_by.load(Ordering::Relaxed));
                }
                let arrived = self.count(now);
                if arrived < self.parties {
                    return self.record(Turn { number: now, index: arrived }, stop);
                }
                now
            };
            // The last party is about to end the round, so ours is the next one.
            self.sleep(watch, now, deadline);
            if deadline.is_over() && number(self.round.load(Ordering::Acquire)) == now {
                self.abort();
            }
        }
    }

    /// Writes the arrival down. Only under the lock.
    fn record(&self, turn: Turn, stop: bool) -> Result<Arrival, i32> {
        let is_last = turn.index + 1 == self.parties;
        if is_last && !stop {
            self.open(after(turn.number), 0);
            return Ok(Arrival::Crossed(turn.index));
        }
        let Ok(entry) = self.roster.entry(me()) else {
            self.end_round(0, BROKEN);
            return Err(0);
        };
        entry.set(tag(turn.number) | ((entry.value() & COUNT) + 1));
        Ok(if is_last { Arrival::Last(turn) } else { Arrival::Early(turn) })
    }

    /// How many have arrived in round `now`; drops what is left of earlier rounds. Only under the lock.
    fn count(&self, now: u32) -> u32 {
        let mut arrived = 0;
        for entry in self.roster.entries() {
            if entry.value() & !COUNT == tag(now) {
                arrived += entry.value() & COUNT;
            } else {
                entry.set(0);
            }
        }
        arrived
    }

    /// Waits for the end of the round; breaks the barrier at the deadline.
    pub(crate) fn wait(&self, turn: Turn, deadline: Deadline) -> Crossed {
        let has_ended = || number(self.round.load(Ordering::Acquire)) != turn.number;
        if self.spin.until(has_ended) {
            return self.outcome(turn);
        }
        let mut verify = false;
        loop {
            let watch = Watch::new();
            if has_ended() {
                return self.outcome(turn);
            }
            let is_dead = if verify { death::is_gone } else { death::is_dead };
            if verify || self.lock.is_abandoned() || self.casualty(turn.number, is_dead).is_some() {
                let _held = self.hold();
                self.check(is_dead);
            }
            if deadline.is_over() && !has_ended() {
                self.give_up(turn);
            }
            verify = self.sleep(watch, turn.number, deadline) == Wake::Verify;
        }
    }

    /// Sleeps while round `now` lasts.
    fn sleep(&self, watch: Watch, now: u32, deadline: Deadline) -> Wake {
        let seen = self.round.load(Ordering::Acquire);
        let marked = seen | WAITERS;
        if number(seen) != now {
            return Wake::Look;
        }
        let exchange =
            || self.round.compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed);
        if seen != marked && exchange().is_err() {
            return Wake::Look;
        }
        watch.wait(&self.round, marked, deadline)
    }

    /// A process that has arrived in round `now` and is dead.
    fn casualty(&self, now: u32, is_dead: fn(Identity) -> bool) -> Option<i32> {
        let me = me().id;
        self.arrivals(now)
            .find(|entry| entry.holder() != me && is_dead(entry.holder()))
            .map(|entry| entry.pid())
    }

    /// Breaks the barrier if somebody who has arrived is dead. Only under the lock.
    fn check(&self, is_dead: fn(Identity) -> bool) {
        let round = self.round.load(Ordering::Relaxed);
        if round & BROKEN == 0
            && let Some(pid) = self.casualty(number(round), is_dead)
        {
            self.end_round(pid, BROKEN);
        }
    }

    /// Ends the round that the last party was stopped in.
    pub(crate) fn finish(&self, turn: Turn) -> Crossed {
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
    pub(crate) fn give_up(&self, turn: Turn) {
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
        let now = number(self.round.load(Ordering::Relaxed));
        if self.is_broken() {
            self.open(now, 0);
        } else if self.count(now) != 0 {
            self.end_round(0, 0);
        }
    }

    /// Ends the round without a crossing. Cut off by a kill, it is done again, as the breaking of the barrier.
    fn end_round(&self, dead: i32, state: u32) {
        let now = number(self.round.load(Ordering::Relaxed));
        // What is left of earlier rounds goes before tags come round again.
        self.count(now);
        self.broken_by.store(dead, Ordering::Relaxed);
        self.last_break.store(now, Ordering::Relaxed);
        self.history.fetch_or(bit(now), Ordering::Relaxed);
        self.open(after(now), state);
    }

    /// The store that ends a round and begins round `next`.
    fn open(&self, next: u32, state: u32) {
        self.history.fetch_and(!bit(next), Ordering::Relaxed);
        let before = self.round.swap(next << NUMBER_SHIFT | state, Ordering::AcqRel);
        if before & WAITERS != 0 {
            futex::wake_all(&self.round);
        }
    }

    /// How the round of `turn`, which has ended, did so.
    fn outcome(&self, turn: Turn) -> Crossed {
        loop {
            let round = self.round.load(Ordering::Acquire);
            let history = self.history.load(Ordering::Acquire);
            let last_break = self.last_break.load(Ordering::Acquire);
            let dead = self.broken_by.load(Ordering::Acquire);
            if self.round.load(Ordering::Relaxed) & !WAITERS != round & !WAITERS {
                continue;
            }
            let crossed = if distance(turn.number, number(round)) < u64::BITS {
                history & bit(turn.number) == 0
            } else {
                // Beyond memory. Certain if nothing was broken since; otherwise a spurious error is the lesser evil.
                distance(turn.number, last_break) > u32::MAX >> (NUMBER_SHIFT + 1)
            };
            return if crossed { Ok(turn.index) } else { Err(dead) };
        }
    }
}

/// How many rounds after `from` round `to` is.
const fn distance(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from) & (u32::MAX >> (32 - NUMBER_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn early(barrier: &RawBarrier) -> Turn {
        match barrier.arrive(false, Deadline::NEVER) {
            Ok(Arrival::Early(turn)) => turn,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slow_party_learns_how_its_own_round_ended() {
        let barrier = RawBarrier::new(2);
        let broken = early(&barrier);
        barrier.reset();
        let crossed = early(&barrier);
        for round in 0..200 {
            assert!(matches!(barrier.arrive(false, Deadline::NEVER), Ok(Arrival::Crossed(1))));
            early(&barrier);
            assert_eq!(barrier.outcome(crossed), Ok(0), "after {round} rounds");
            assert_eq!(barrier.outcome(broken), Err(0));
        }
    }

    #[test]
    fn the_last_party_may_be_stopped_and_panic() {
        let barrier = RawBarrier::new(2);
        let first = early(&barrier);
        let Ok(Arrival::Last(last)) = barrier.arrive(true, Deadline::NEVER) else {
            panic!("the second of two is the last");
        };
        assert_eq!(barrier.waiting(), 2);
        barrier.give_up(last);
        assert_eq!(barrier.finish(last), Err(0));
        assert_eq!(barrier.wait(first, Deadline::NEVER), Err(0));
        assert!(barrier.is_broken());
        barrier.reset();
        assert!(!barrier.is_broken());
    }

    #[test]
    fn whoever_dies_with_the_lock_breaks_it() {
        let barrier = RawBarrier::new(2);
        let turn = early(&barrier);
        std::thread::scope(|scope| {
            scope.spawn(|| barrier.lock.lock(Deadline::NEVER));
        });
        assert_eq!(barrier.wait(turn, Deadline::NEVER), Err(me().pid));
    }
}
