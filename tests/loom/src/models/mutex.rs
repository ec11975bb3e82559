//! The robust lock word.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, process, shared, strike, stranger, victim},
    sync::raw::{Acquired, RawMutex, Refusal},
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "mutex::two_exclude_each_other",
        run: two_exclude_each_other,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model { name: "mutex::three_exclude_each_other", run: three_exclude_each_other, notices: &[] },
    Model { name: "mutex::one_only_tries", run: one_only_tries, notices: &[] },
    Model {
        name: "mutex::one_gives_up_waiting",
        run: one_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "mutex::the_owner_is_killed",
        run: the_owner_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
];

fn new() -> (Arc<RawMutex>, Arc<Data>) {
    (shared(RawMutex::new()), Data::new())
}

/// Two processes lock, write and unlock, twice each: the first time as strangers, who take the slow path.
fn two_exclude_each_other(explorer: &mut Explorer) {
    explorer.explore(|| {
        let (mutex, data) = new();
        let both = [0, 1].map(|_| {
            let (mutex, data) = (mutex.clone(), data.clone());
            stranger(move || {
                for _ in 0..2 {
                    assert_eq!(mutex.lock(Deadline::NEVER), Ok(Acquired::Clean));
                    data.add();
                    mutex.unlock();
                }
            })
        });
        for one in both {
            one.join();
        }
        assert_eq!((data.read_whole(), mutex.is_locked()), (4, false));
    });
}

/// Three processes lock, write and unlock: with two that sleep, the one that is woken has to leave word of the other.
fn three_exclude_each_other(explorer: &mut Explorer) {
    explorer.explore(|| {
        let (mutex, data) = new();
        let all = [0, 1, 2].map(|_| {
            let (mutex, data) = (mutex.clone(), data.clone());
            process(move || {
                assert_eq!(mutex.lock(Deadline::NEVER), Ok(Acquired::Clean));
                data.add();
                mutex.unlock();
            })
        });
        for one in all {
            one.join();
        }
        assert_eq!((data.read_whole(), mutex.is_locked()), (3, false));
    });
}

/// One of two processes never waits.
fn one_only_tries(explorer: &mut Explorer) {
    explorer.explore(|| {
        let (mutex, data) = new();
        let locker = {
            let (mutex, data) = (mutex.clone(), data.clone());
            process(move || {
                for _ in 0..2 {
                    assert_eq!(mutex.lock(Deadline::NEVER), Ok(Acquired::Clean));
                    data.add();
                    mutex.unlock();
                }
            })
        };
        let mut taken = 0;
        for _ in 0..2 {
            if mutex.try_lock().is_some() {
                taken += 1;
                data.add();
                mutex.unlock();
            }
        }
        locker.join();
        assert_eq!((data.read_whole(), mutex.is_locked()), (2 + taken, false));
    });
}

/// While one holds the lock, one waits for it as long as it takes, and one until noon, which comes at any moment: whatever becomes
/// of the latter, it does not take the wake-up with it that was meant for the other.
fn one_gives_up_waiting(explorer: &mut Explorer) {
    explorer.explore(|| {
        let (mutex, data) = new();
        let until = [Deadline::Noon, Deadline::NEVER, Deadline::NEVER];
        let all = until.map(|until| {
            let (mutex, data) = (mutex.clone(), data.clone());
            process(move || match mutex.lock(until) {
                Ok(acquired) => {
                    assert_eq!(acquired, Acquired::Clean);
                    data.add();
                    mutex.unlock();
                    1
                }
                Err(refusal) => {
                    assert_eq!((refusal, until), (Refusal::TimedOut, Deadline::Noon));
                    0
                }
            })
        });
        strike();
        let taken = all.into_iter().map(Process::join).sum::<u32>();
        assert_eq!((data.read_whole(), mutex.is_locked()), (taken, false));
    });
}

/// Locks, looks whether the data is whole, and repairs it if its owner has died. Returns how often that was so.
fn use_after(mutex: &RawMutex, data: &Data, times: u32) -> u32 {
    let mut inherited = 0;
    for _ in 0..times {
        if let Ok(Acquired::Inherited(_)) = mutex.lock(Deadline::NEVER) {
            inherited += 1;
            data.repair();
            mutex.adopt();
        }
        data.read_whole();
        data.add();
        mutex.unlock();
    }
    inherited
}

/// A process is killed at any step of locking, writing and unlocking, while two others do the same: each comes to its turn, data
/// that may be half written is never found without word of the death, and one death is told of once at most.
fn the_owner_is_killed(explorer: &mut Explorer) {
    explorer.kill(Death::Marked, || {
        let (mutex, data) = new();
        let killed = {
            let (mutex, data) = (mutex.clone(), data.clone());
            victim(move || use_after(&mutex, &data, 1))
        };
        let others = [0, 1].map(|_| {
            let (mutex, data) = (mutex.clone(), data.clone());
            process(move || use_after(&mutex, &data, 1))
        });
        killed.end();
        let inherited = others.into_iter().map(Process::join).sum::<u32>();
        assert!(inherited <= 1, "one death was told of {inherited} times");
        assert!(!mutex.is_locked());
    });
}
