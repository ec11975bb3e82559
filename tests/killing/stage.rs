//! The stage of the kill matrices: what victims, survivors and judges share.

use super::killing::spin;
use psync::prelude::*;
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

/// The victim is outside of the operation: its death must not be noticed.
pub(crate) const OUT: u32 = 0;
/// It is entering or leaving: what it was about either happened or did not.
pub(crate) const EDGE: u32 = 1;
/// It is inside: the next one must be told.
pub(crate) const IN: u32 = 2;

/// How many permits the semaphores have.
pub(crate) const PERMITS: u32 = 3;
/// And the one for many holders.
pub(crate) const MANY: u32 = 24;
/// How many things there are to be made once.
pub(crate) const ONCES: usize = 64;

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
    pub(crate) shared: RwLock<Tally>,
    pub(crate) nested: ReentrantMutex<[AtomicU64; 3]>,
    pub(crate) changed: Condvar,
    pub(crate) once: Once<Tally>,
    #[init([const { Once::new() }; ONCES])]
    pub(crate) onces: [Once<Tally>; ONCES],
    /// How many tokens there are for those who wait until there are some.
    pub(crate) tokens: Mutex<u64>,
    #[init(Semaphore::new(PERMITS))]
    pub(crate) permits: Semaphore,
    #[init(Semaphore::bounded(PERMITS))]
    pub(crate) bounded: Semaphore,
    #[init(Semaphore::new(MANY))]
    pub(crate) many: Semaphore,
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
