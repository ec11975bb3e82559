//! Two processes, or two threads, that do the same at the same time.

use super::measure::Contestant;
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
}

/// How long to wait before giving way: the other may need this processor, if the machine has other work.
const SPINS: u32 = 10_000;

fn await_turn(word: &AtomicU32, turn: u32) {
    let mut spins = 0;
    while word.load(Acquire) != turn {
        spins += 1;
        if spins < SPINS { spin_loop() } else { std::thread::yield_now() }
    }
}

/// The partner's part: takes its turns until the count of one is 0.
pub(crate) fn accompany(stage: &Stage, mut operation: impl FnMut()) {
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

/// A contestant that does `operation` together with the partner on `stage`; `each` tells whether the operations of the two count
/// one by one, or one of both as one.
pub(crate) fn contestant<'a>(
    name: &'static str,
    stage: &'a Stage,
    each: bool,
    mut operation: impl FnMut() + 'a,
) -> Contestant<'a> {
    Contestant::new(name, move |count| {
        let elapsed = stage.take_turn(count, &mut operation);
        if each { elapsed / 2 } else { elapsed }
    })
}
