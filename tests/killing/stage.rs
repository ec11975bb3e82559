//! The stage of the kill matrix: what victim, bystander and judge share, and how a round is played.

use super::killing::{self, HANG, poll_for, spin};
use psync::prelude::*;
use std::{
    cell::Cell as Slot,
    sync::{
        OnceLock,
        atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// The victim is outside of the operation: its death must not be noticed.
pub(crate) const OUT: u32 = 0;
/// It is entering or leaving: what it was about either happened or did not.
pub(crate) const EDGE: u32 = 1;
/// It is inside: the next one must be told.
pub(crate) const IN: u32 = 2;

/// How many permits the semaphores have.
pub(crate) const PERMITS: u32 = 3;

/// Data with an invariant that a change breaks for a moment: the first is the sum of the other two.
pub(crate) type Tally = [u64; 3];
/// Whose part of a tally.
pub(crate) const VICTIM: usize = 1;
pub(crate) const OTHER: usize = 2;

#[shared]
pub(crate) struct Arena {
    /// What the victim is doing.
    pub(crate) phase: AtomicU32,
    /// How often it has done it.
    pub(crate) beats: AtomicU64,
    pub(crate) other_beats: AtomicU64,
    /// A number that the judge keeps from round to round.
    pub(crate) before: AtomicU64,
    /// The dead process that the bystander was told of last.
    pub(crate) told: AtomicI32,
    pub(crate) stop: AtomicU32,
    pub(crate) mutex: Mutex<Tally>,
    pub(crate) pen: Lock,
    #[guarded_by(pen)]
    pub(crate) acorns: Tally,
    pub(crate) value: Value<Tally>,
    #[init(Semaphore::new(PERMITS))]
    pub(crate) permits: Semaphore,
    #[init(Semaphore::bounded(PERMITS))]
    pub(crate) bounded: Semaphore,
    pub(crate) bell: Event,
    #[init(Barrier::new(2))]
    pub(crate) pair: Barrier,
    #[init(Barrier::new(4))]
    pub(crate) four: Barrier,
    #[init(Barrier::new(3))]
    pub(crate) trio: Barrier,
    /// Says that victims may go to their gate.
    pub(crate) go: AtomicU32,
    #[init(Barrier::with_action(2, action))]
    pub(crate) acting: Barrier,
    pub(crate) actions: AtomicU32,
    pub(crate) crossings: AtomicU64,
}

/// Everything on stage; goes to each process as an argument.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stage {
    pub(crate) arena: Shared<Arena>,
    pub(crate) array: Array<u64>,
}

impl Stage {
    pub(crate) fn new() -> psync::Result<Self> {
        Ok(Self { arena: Shared::new(Arena::default())?, array: Array::zeroed(3)? })
    }

    pub(crate) fn mark(&self, phase: u32) {
        self.arena.phase.store(phase, SeqCst);
    }

    pub(crate) fn beat(&self) {
        self.arena.beats.fetch_add(1, SeqCst);
    }

    pub(crate) fn stopped(&self) -> bool {
        self.arena.stop.load(SeqCst) != 0
    }
}

/// The barrier's action has no arguments: this process's stage, if it is the victim.
pub(crate) static ACTOR: OnceLock<Stage> = OnceLock::new();

fn action() {
    if let Some(stage) = ACTOR.get() {
        stage.mark(IN);
        spin(Duration::from_micros(15));
        stage.mark(EDGE);
        stage.arena.actions.fetch_add(1, SeqCst);
    }
}

/// Changes a tally in steps that a kill can fall between.
pub(crate) fn change(tally: &mut [u64], whose: usize) {
    tally[whose] += 1;
    spin(Duration::from_nanos(300));
    tally[0] += 1;
}

pub(crate) fn is_whole(tally: &[u64]) -> bool {
    tally[0] == tally[1] + tally[2]
}

pub(crate) fn repair(tally: &mut [u64]) {
    tally[0] = tally[1] + tally[2];
}

/// What survivors learnt of the death: the pid, if they were told one.
pub(crate) type Told = Option<i32>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Told,
    Nothing,
    Either,
}

/// One death.
pub(crate) struct Round<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) victim: &'a Process<()>,
    pub(crate) number: usize,
    pub(crate) delay: Duration,
    pub(crate) coin: bool,
    /// Whether the victim was seen where its death must be told, beyond what it says itself.
    pub(crate) certain: Slot<Option<Expect>>,
    killed: Slot<Option<Instant>>,
    recovery: Slot<Option<Duration>>,
}

impl<'a> Round<'a> {
    pub(crate) fn new(
        stage: &'a Stage,
        victim: &'a Process<()>,
        number: usize,
        delay: Duration,
        coin: bool,
    ) -> Self {
        let (certain, killed, recovery) = (Slot::new(None), Slot::new(None), Slot::new(None));
        Self { stage, victim, number, delay, coin, certain, killed, recovery }
    }

    pub(crate) fn arena(&self) -> &Arena {
        &self.stage.arena
    }

    pub(crate) fn pid(&self) -> i32 {
        self.victim.pid()
    }

    /// Waits until the victim has begun.
    pub(crate) fn until_begun(&self) {
        while self.arena().beats.load(SeqCst) == 0 && self.victim.is_alive() {
            core::hint::spin_loop();
        }
    }

    /// The random moment.
    pub(crate) fn pass(&self) {
        spin(self.delay);
    }

    pub(crate) fn kill(&self) {
        self.killed.set(Some(Instant::now()));
        killing::kill(self.pid());
    }

    /// The next one is through.
    pub(crate) fn recovered(&self) {
        if let (Some(killed), None) = (self.killed.get(), self.recovery.get()) {
            self.recovery.set(Some(killed.elapsed()));
        }
    }

    pub(crate) fn recovery(&self) -> Option<Duration> {
        self.recovery.get()
    }

    pub(crate) fn await_death(&self) -> Result<(), String> {
        let status = self.victim.wait();
        if status.signal() == Some(libc::SIGKILL) {
            Ok(())
        } else {
            Err(format!("victim: {status:?}"))
        }
    }

    /// What survivors must have learnt.
    pub(crate) fn expected(&self) -> Expect {
        self.certain.get().unwrap_or_else(|| match self.arena().phase.load(SeqCst) {
            IN => Expect::Told,
            OUT => Expect::Nothing,
            _ => Expect::Either,
        })
    }

    /// Holds if the bystander, wherever it was, goes on.
    pub(crate) fn bystander_goes_on(&self, nudge: fn(&Stage)) -> Result<(), String> {
        let before = self.arena().other_beats.load(SeqCst);
        let goes_on = || {
            nudge(self.stage);
            self.arena().other_beats.load(SeqCst) >= before + 2
        };
        if poll_for(HANG / 2, goes_on) {
            Ok(())
        } else {
            Err("the bystander is blocked".to_owned())
        }
    }
}

/// One row of the matrix: a primitive, what the victim does with it, and as what.
pub(crate) struct Cell {
    pub(crate) primitive: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) role: &'static str,
    /// What the victim repeats.
    pub(crate) victim: fn(&Stage),
    /// What another process repeats meanwhile.
    pub(crate) bystander: Option<fn(&Stage)>,
    /// Kills the victim, and is the next to use the primitive.
    pub(crate) act: fn(&Round<'_>) -> Result<Told, String>,
    /// What must hold once the victim is dead.
    pub(crate) audit: fn(&Round<'_>) -> Result<(), String>,
    /// Makes the primitive good for the next round.
    pub(crate) reset: fn(&Stage) -> Result<(), String>,
    /// Gives the bystander what it waits for.
    pub(crate) nudge: fn(&Stage),
}
