//! Deaths that nobody reports, since the supervisor is dead too, are found out, also while a new one reports others all the time.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::{Watchdog, kill};
use psync::{__private::supervisor_pid, BrokenBarrier, prelude::*};
use std::sync::atomic::{AtomicBool, Ordering};

#[shared]
struct Yard {
    #[init(Semaphore::new(1))]
    swing: Semaphore,
    #[init(RwLock::new(0))]
    notes: RwLock<u64>,
    /// One more than come.
    #[init(Barrier::new(3))]
    gate: Barrier,
    here: Event,
}

#[process]
fn swings(yard: &Yard) {
    let _permit = yard.swing.acquire().expect("free");
    let _reading = yard.notes.read().expect("free");
    yard.here.set();
    let _ = yard.gate.wait();
}

#[process]
fn nothing() {}

/// While others start and end, a process dies whose supervisor has died before it: then waits for `after` in this process.
fn while_others_come_and_go(after: impl FnOnce(&Yard, i32)) {
    let yard = Shared::new(Yard::default()).expect("shared memory");
    let swinging = swings::spawn(&yard).expect("started");
    yard.here.wait();
    while yard.gate.waiting() == 0 {
        std::thread::yield_now();
    }
    kill(supervisor_pid().expect("there is one"));
    // By a new one.
    nothing::run().expect("ends");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                nothing::run().expect("ends");
            }
        });
        let _over = Over(&over);
        kill(swinging.pid());
        after(&yard, swinging.pid());
    });
}

/// True once this is dropped, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_they_held_comes_back_and_where_they_waited_others_are_told() {
    let watchdog = Watchdog::new("deaths that nobody reports");
    watchdog.step("a permit");
    while_others_come_and_go(|yard, _| drop(yard.swing.acquire().expect("comes back")));
    watchdog.step("a reader");
    while_others_come_and_go(|yard, _| drop(yard.notes.write().expect("no poison")));
    watchdog.step("a party of a barrier");
    while_others_come_and_go(|yard, dead| {
        let Err(BrokenBarrier { dead: told }) = yard.gate.wait() else { panic!("it is dead") };
        assert_eq!(told, Some(dead));
    });
}
