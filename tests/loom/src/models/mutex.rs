//! The robust lock word.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, doomed, process, shared, stranger, strike, victim},
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
    Model {
        name: "mutex::the_owner_is_killed_unmarked",
        run: the_owner_is_killed_unmarked,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "mutex::the_owner_is_killed_unreported",
        run: the_owner_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "mutex::the_owner_is_killed_silently",
        run: the_owner_is_killed_silently,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "mutex::the_owner_is_killed_between_two_holds",
        run: the_owner_is_killed_between_two_holds,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
    Model {
        name: "mutex::the_heir_is_killed",
        run: the_heir_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
];

type Both = (Arc<RawMutex>, Arc<Data>);

fn new() -> Both {
    (shared(RawMutex::new()), Data::new())
}

/// Locks, writes and unlocks, where nobody dies.
fn use_cleanly((mutex, data): &Both, times: u32) {
    for _ in 0..times {
        assert_eq!(mutex.lock(&Deadline::NEVER.into()), Ok(Acquired::Clean));
        data.add();
        mutex.unlock();
    }
}

fn is_used((mutex, data): &Both, times: u32) {
    assert_eq!((data.read_whole(), mutex.is_locked()), (times, false));
}

/// Two processes lock, write and unlock, twice each: the one of them, which does not know who it is, takes the slow path first.
fn two_exclude_each_other(explorer: Explorer) {
    explorer.explore(|| {
        let both = new();
        let other = {
            let both = both.clone();
            stranger(move || use_cleanly(&both, 2))
        };
        use_cleanly(&both, 2);
        other.join();
        is_used(&both, 4);
    });
}

/// Three processes lock, write and unlock: with two that sleep, the one that is woken has to leave word of the other.
fn three_exclude_each_other(explorer: Explorer) {
    explorer.explore(|| {
        let both = new();
        let others = [0, 1].map(|_| {
            let both = both.clone();
            process(move || use_cleanly(&both, 1))
        });
        use_cleanly(&both, 1);
        others.into_iter().for_each(Process::join);
        is_used(&both, 3);
    });
}

/// One of two processes never waits.
fn one_only_tries(explorer: Explorer) {
    explorer.explore(|| {
        let both = new();
        let locker = {
            let both = both.clone();
            process(move || use_cleanly(&both, 2))
        };
        let (mutex, data) = &both;
        let mut taken = 0;
        for _ in 0..2 {
            if mutex.try_lock().is_some() {
                taken += 1;
                data.add();
                mutex.unlock();
            }
        }
        locker.join();
        is_used(&both, 2 + taken);
    });
}

/// Two processes want the lock of a third one, which uses it twice, the one until noon, which may come at any moment. Whatever becomes
/// of it, it does not take the wake-up with it that the other needs.
fn one_gives_up_waiting(explorer: Explorer) {
    explorer.explore(|| {
        let both = new();
        let until_noon = {
            let (mutex, data) = both.clone();
            process(move || match mutex.lock(&Deadline::Noon.into()) {
                Ok(acquired) => {
                    assert_eq!(acquired, Acquired::Clean);
                    data.add();
                    mutex.unlock();
                    1
                }
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::TimedOut);
                    0
                }
            })
        };
        let others = [1, 2].map(|times| {
            let both = both.clone();
            process(move || use_cleanly(&both, times))
        });
        strike();
        let taken = until_noon.join();
        others.into_iter().for_each(Process::join);
        is_used(&both, 3 + taken);
    });
}

/// Locks, repairs the data if its last owner has died, finds it whole, writes, and unlocks. Returns how often that was so.
fn use_after((mutex, data): &Both, times: u32) -> u32 {
    let mut inherited = 0;
    for _ in 0..times {
        if let Ok(Acquired::Inherited(_)) = mutex.lock(&Deadline::NEVER.into()) {
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
fn the_owner_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let both = new();
        let killed = {
            let both = both.clone();
            victim(move || use_after(&both, 1))
        };
        let other = {
            let both = both.clone();
            process(move || use_after(&both, 1))
        };
        let told = use_after(&both, 1);
        killed.end();
        let told = told + other.join() + use_after(&both, 1);
        assert!(told <= 1, "one death was told of {told} times");
    });
}

/// With strong memory, one of the others does so twice: who waits does not take what it has read of the first time and of the dead one for
/// something about the second time.
fn the_owner_is_killed_between_two_holds(explorer: Explorer) {
    explorer.strong().kill(Death::Marked, || {
        let both = new();
        let killed = {
            let both = both.clone();
            victim(move || use_after(&both, 1))
        };
        let other = {
            let both = both.clone();
            process(move || use_after(&both, 1))
        };
        use_after(&both, 2);
        killed.end();
        other.join();
    });
}

/// Neither: who waits finds out when a second has passed.
fn the_owner_is_killed_silently(explorer: Explorer) {
    quietly(explorer, Death::Silent);
}

/// The same without the kernel's marks, as with a C library whose robust list is of no use: who waits finds out by itself.
fn the_owner_is_killed_unmarked(explorer: Explorer) {
    quietly(explorer, Death::Unmarked);
}

/// The same without anybody who would report the death, as with a dead supervisor.
fn the_owner_is_killed_unreported(explorer: Explorer) {
    quietly(explorer, Death::Unreported);
}

/// One survivor locks twice; and, with a preemption less, two lock once each.
fn quietly(explorer: Explorer, death: Death) {
    let model = |survivors: usize| {
        move || {
            let both = new();
            let killed = {
                let both = both.clone();
                victim(move || use_after(&both, 1))
            };
            let others: Vec<_> = (1..survivors)
                .map(|_| {
                    let both = both.clone();
                    process(move || use_after(&both, 1))
                })
                .collect();
            let told = use_after(&both, 1);
            killed.end();
            let told = others.into_iter().map(Process::join).sum::<u32>() + told;
            let told = told + use_after(&both, 1);
            assert!(told <= 1, "one death was told of {told} times");
        }
    };
    explorer.kill(death, model(1));
    explorer.coarse().kill(death, model(2));
}

/// The owner is dead, and of two that want the lock one is killed too: at any step of taking it over, repairing, writing and unlocking.
/// The other, which does not want to repair at first, leaves it to whoever comes next.
fn the_heir_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let both = new();
        let owner = {
            let (mutex, data) = both.clone();
            doomed(move || {
                assert_eq!(mutex.lock(&Deadline::NEVER.into()), Ok(Acquired::Clean));
                data.add_half();
            })
        };
        owner.end();
        let heir = {
            let both = both.clone();
            victim(move || use_after(&both, 1))
        };
        let (mutex, data) = &both;
        match mutex.lock(&Deadline::NEVER.into()) {
            Ok(Acquired::Inherited(_)) => mutex.abandon(),
            _ => {
                data.read_whole();
                mutex.unlock();
            }
        }
        use_after(&both, 1);
        heir.end();
        use_after(&both, 1);
        assert_eq!(use_after(&both, 1), 0, "the data was made whole");
    });
}
