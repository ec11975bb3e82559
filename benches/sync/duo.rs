//! Two processes, or two threads, that do the same at the same time.

use super::{measure::Contestant, posix::Processors};
use psync::prelude::*;
use std::{
    hint::spin_loop,
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{Acquire, Release},
    },
    time::{Duration, Instant},
};

/// Where the two agree on what to do next. The partner sleeps between its turns.
#[shared]
pub(crate) struct Stage {
    bell: Event,
    turn: AtomicU32,
    count: AtomicU64,
    ready: AtomicU32,
    go: AtomicU32,
    done: AtomicU32,
    /// Keeps the next one out of these cache lines.
    _apart: [u64; 16],
}

/// How long to wait before giving way: the other may need this processor, if the machine has other work.
const SPINS: u32 = 10_000;

fn await_turn(word: &AtomicU32, turn: u32) {
    let most = if Processors::of_this_thread().count() == 1 { 0 } else { SPINS };
    let mut spins = 0;
    while word.load(Acquire) != turn {
        spins += 1;
        if spins < most { spin_loop() } else { std::thread::yield_now() }
    }
}

/// Does something again and again: the leader or the partner.
pub(crate) trait Player<'a> {
    type Outcome;

    fn play(self, operation: impl FnMut() + 'a) -> Self::Outcome;
}

/// Takes its turns until the count of one is 0.
pub(crate) struct Partner<'a>(pub(crate) &'a Stage);

impl<'a> Player<'a> for Partner<'a> {
    type Outcome = ();

    fn play(self, mut operation: impl FnMut() + 'a) {
        let Self(stage) = self;
        loop {
            stage.bell.wait();
            stage.bell.clear();
            let (turn, count) = (stage.turn.load(Acquire), stage.count.load(Acquire));
            stage.ready.store(turn, Release);
            await_turn(&stage.go, turn);
            for _ in 0..count {
                operation();
            }
            stage.done.store(turn, Release);
            if count == 0 {
                return;
            }
        }
    }
}

/// Measures, with the partner on the same stage.
pub(crate) struct Leader<'a> {
    pub(crate) name: &'static str,
    pub(crate) stage: &'a Stage,
    /// How many operations there are while each of the two does one.
    pub(crate) shares: u32,
}

impl<'a> Player<'a> for Leader<'a> {
    type Outcome = Contestant<'a>;

    fn play(self, mut operation: impl FnMut() + 'a) -> Contestant<'a> {
        Contestant::new(self.name, move |count| {
            self.stage.take_turn(count, &mut operation) / self.shares
        })
    }
}

impl Stage {
    /// The leader's part of one turn; the time until both are done.
    fn take_turn(&self, count: u64, mut operation: impl FnMut()) -> Duration {
        let turn = self.turn.load(Acquire).wrapping_add(1);
        self.count.store(count, Release);
        self.turn.store(turn, Release);
        self.bell.set();
        await_turn(&self.ready, turn);
        let start = Instant::now();
        self.go.store(turn, Release);
        for _ in 0..count {
            operation();
        }
        await_turn(&self.done, turn);
        start.elapsed()
    }

    /// Lets the partner go.
    pub(crate) fn end(&self) {
        self.take_turn(0, || ());
    }
}
