//! `Barrier`: a point that a number of parties cross together.

use super::{
    action::Action,
    raw::{Arrival, RawBarrier, Turn},
};
use crate::{
    shm::world::{Blocking, Operation, Site},
    sys::{clock::Deadline, fault},
};
use core::{fmt, time::Duration};

/// A point that a number of parties cross together, again and again.
///
/// Everything that a party wrote before [`wait`](Self::wait) is visible to every party after it. The barrier can be used again at once: who
/// arrives for the next round waits for that one, also while others have not left the last.
///
/// **When a party dies** in here, while it waits or runs the action, the barrier is broken: the others get [`BrokenBarrier`] with its pid, and so does
/// everybody who arrives later, until a [`reset`](Self::reset). That works between processes of one program. Somebody who
/// dies before arriving is just missing; use a timeout where that can happen. Anybody might arrive, so waiting here is never reported as a deadlock.
///
/// # Examples
/// ```
/// use psync::Barrier;
///
/// let barrier = Barrier::new(2);
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().unwrap().index());
///     let index = barrier.wait().unwrap().index();
///     assert_eq!(index + other.join().unwrap(), 1);
/// });
/// ```
///
/// A process that dies while it waits:
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn first(door: &Barrier) {
///     let _ = door.wait();
/// }
///
/// let door = Shared::new(Barrier::new(2))?;
/// let process = first::spawn(&door)?;
/// while door.waiting() == 0 {
///     std::thread::yield_now();
/// }
/// process.kill()?;
/// process.wait();
/// assert_eq!(door.wait().unwrap_err().dead, Some(process.pid()));
/// # Ok::<(), psync::Error>(())
/// ```
#[repr(C)]
pub struct Barrier {
    raw: RawBarrier,
    action: Action,
    /// In nanoseconds; `u64::MAX` for none.
    timeout: u64,
}

const NO_TIMEOUT: u64 = u64::MAX;

impl Barrier {
    /// A barrier for `parties` parties.
    ///
    /// # Panics
    /// If `parties` is zero, or more than there can be threads.
    pub const fn new(parties: usize) -> Self {
        assert!(parties != 0, "a barrier needs at least one party");
        assert!(parties < 1 << 22, "a barrier has fewer than 4194304 parties");
        #[allow(clippy::cast_possible_truncation, reason = "checked above")]
        let raw = RawBarrier::new(parties as u32);
        Self { raw, action: Action::NONE, timeout: NO_TIMEOUT }
    }

    /// A barrier with an action: the last party to arrive runs it, once per round, before anybody goes on.
    ///
    /// Processes other than this one can run it if it is a function of the main program, as opposed to one of a shared library. If it panics,
    /// that party gets the panic, and the others [`BrokenBarrier`].
    ///
    /// # Panics
    /// As [`new`](Self::new).
    ///
    /// # Examples
    /// ```
    /// use psync::{Barrier, Event};
    ///
    /// static ALL_HERE: Event = Event::new();
    ///
    /// let barrier = Barrier::with_action(1, || ALL_HERE.set());
    /// barrier.wait()?;
    /// assert!(ALL_HERE.is_set());
    /// # Ok::<(), psync::BrokenBarrier>(())
    /// ```
    pub fn with_action(parties: usize, action: fn()) -> Self {
        Self { action: Action::new(action), ..Self::new(parties) }
    }

    /// A barrier whose [`wait`](Self::wait) takes no longer than `timeout`; if the others have not come by then, it breaks.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    ///
    /// # Examples
    /// ```
    /// use psync::Barrier;
    /// use std::time::Duration;
    ///
    /// let barrier = Barrier::with_timeout(2, Duration::from_millis(5));
    /// assert_eq!(barrier.wait().unwrap_err().dead, None);
    /// assert!(barrier.is_broken());
    /// ```
    pub const fn with_timeout(parties: usize, timeout: Duration) -> Self {
        let nanos = timeout.as_nanos();
        #[allow(clippy::cast_possible_truncation, reason = "compared first")]
        let timeout = if nanos < NO_TIMEOUT as u128 { nanos as u64 } else { NO_TIMEOUT };
        Self { timeout, ..Self::new(parties) }
    }

    /// Waits until all parties have arrived.
    ///
    /// # Errors
    /// [`BrokenBarrier`] if the barrier is broken, or breaks meanwhile: by a death, by [`abort`](Self::abort), by a party
    /// whose time was up, by an action that panics. Also if somebody [resets](Self::reset) it meanwhile. Also if it cannot be written down that this process
    /// is here, since more processes than the program can tell apart use primitives at once; that breaks it, too.
    ///
    /// # Panics
    /// If this party is the last and the action panics.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> Result<BarrierWait, BrokenBarrier> {
        match self.timeout {
            NO_TIMEOUT => self.cross(Deadline::NEVER),
            nanos => self.wait_timeout(Duration::from_nanos(nanos)),
        }
    }

    /// Waits until all parties have arrived. If `timeout` is over first, breaks the barrier for all.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWait, BrokenBarrier> {
        self.cross(Deadline::after(timeout))
    }

    #[track_caller]
    fn cross(&self, deadline: Deadline) -> Result<BarrierWait, BrokenBarrier> {
        let blocking = Blocking::new(deadline, Some(Site::here::<Self>(Operation::Cross)));
        let crossed = match self.raw.arrive(self.action.is_some(), &blocking) {
            Ok(Arrival::Crossed(index)) => Ok(index),
            Ok(Arrival::Early(turn)) => self.raw.wait(&turn, &blocking),
            Ok(Arrival::Last(turn)) => {
                let unless_finished = BreakOnUnwind { barrier: &self.raw, turn: &turn };
                self.action.run();
                fault::point("barrier: action done");
                core::mem::forget(unless_finished);
                self.raw.finish(&turn)
            }
            Err(dead) => Err(dead),
        };
        match crossed {
            Ok(index) => Ok(BarrierWait { index }),
            Err(dead) => Err(BrokenBarrier { dead: (dead != 0).then_some(dead) }),
        }
    }

    /// Breaks the barrier: everybody who waits or arrives gets [`BrokenBarrier`], until a [`reset`](Self::reset).
    pub fn abort(&self) {
        self.raw.abort();
    }

    /// Makes the barrier as new. Whoever is waiting gets [`BrokenBarrier`].
    ///
    /// # Examples
    /// ```
    /// use psync::Barrier;
    ///
    /// let barrier = Barrier::new(1);
    /// barrier.abort();
    /// assert!(barrier.wait().is_err());
    /// barrier.reset();
    /// assert!(barrier.wait().is_ok());
    /// ```
    pub fn reset(&self) {
        self.raw.reset();
    }

    /// How many parties there are.
    pub const fn parties(&self) -> usize {
        self.raw.parties() as usize
    }

    /// How many parties are waiting at this moment.
    pub fn waiting(&self) -> usize {
        self.raw.waiting() as usize
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.raw.is_broken()
    }
}

/// Breaks the barrier if the action panics.
struct BreakOnUnwind<'a> {
    barrier: &'a RawBarrier,
    turn: &'a Turn<'a>,
}

impl Drop for BreakOnUnwind<'_> {
    fn drop(&mut self) {
        self.barrier.give_up(self.turn);
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken = if self.is_broken() { ", broken" } else { "" };
        write!(f, "Barrier({} of {} waiting{broken})", self.waiting(), self.parties())
    }
}

/// A party has crossed a [`Barrier`].
///
/// # Examples
/// ```
/// use psync::Barrier;
///
/// let gate = Barrier::new(1);
/// assert_eq!(gate.parties(), 1);
/// let crossed = gate.wait()?;
/// assert_eq!(crossed.index(), 0);
/// assert!(crossed.is_leader());
/// # Ok::<(), psync::BrokenBarrier>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BarrierWait {
    index: u32,
}

impl BarrierWait {
    /// This party's number in this round, from 0 to one less than there are parties: each occurs once.
    pub const fn index(&self) -> usize {
        self.index as usize
    }

    /// Whether this party is the one of its round with index 0.
    pub const fn is_leader(&self) -> bool {
        self.index == 0
    }
}

/// The parties could not cross a [`Barrier`] together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct BrokenBarrier {
    /// The process whose death broke it, if it was a death.
    pub dead: Option<i32>,
}

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dead {
            Some(pid) => write!(f, "the barrier is broken since process {pid} died in it"),
            None => f.write_str("the barrier is broken"),
        }
    }
}

impl core::error::Error for BrokenBarrier {}

crate::error::umbrella!(BrokenBarrier);

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
