//! Permits, and the death of who holds them.

use super::data::{Data, Room};
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, process, shared, strike, victim},
    points::has_passed,
    sync::raw::{Denied, RawSemaphore, Release},
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "semaphore::one_permit_excludes",
        run: one_permit_excludes,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "semaphore::three_share_two",
        run: three_share_two,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "semaphore::as_many_are_woken_as_there_is_room_for",
        run: as_many_are_woken_as_there_is_room_for,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "semaphore::one_gives_up_waiting",
        run: one_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "semaphore::the_holder_is_killed",
        run: the_holder_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock"), (Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "semaphore::the_holder_is_killed_unreported",
        run: the_holder_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "semaphore::the_releaser_is_killed",
        run: the_releaser_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock"), (Sabotage::NoReport, "deadlock")],
    },
];

fn new(permits: u32, bounded: bool) -> Arc<RawSemaphore> {
    shared(RawSemaphore::new(permits, bounded))
}

/// Two processes take the only permit, write, and give it back, twice each.
fn one_permit_excludes(explorer: Explorer) {
    explorer.thoroughly(|| {
        let (semaphore, data) = (new(1, false), Data::new());
        let work = |semaphore: &RawSemaphore, data: &Data| {
            for _ in 0..2 {
                let holder =
                    semaphore.acquire(&Deadline::NEVER.into()).expect("a place in the account");
                data.add();
                semaphore.give_back(holder);
            }
        };
        let other = {
            let (semaphore, data) = (semaphore.clone(), data.clone());
            process(move || work(&semaphore, &data))
        };
        work(&semaphore, &data);
        other.join();
        assert_eq!((data.read_whole(), semaphore.available()), (4, 1));
    });
}

/// Three processes share two permits.
fn three_share_two(explorer: Explorer) {
    explorer.coarse().thoroughly(|| {
        let (semaphore, room) = (new(2, true), Room::new(2));
        let work = |semaphore: &RawSemaphore, room: &Room| {
            let holder =
                semaphore.acquire(&Deadline::NEVER.into()).expect("a place in the account");
            room.visit();
            semaphore.give_back(holder);
        };
        let others = [0, 1].map(|_| {
            let (semaphore, room) = (semaphore.clone(), room.clone());
            process(move || work(&semaphore, &room))
        });
        work(&semaphore, &room);
        others.into_iter().for_each(Process::join);
        assert_eq!(semaphore.available(), 2);
        assert_eq!(semaphore.release(1), Release::AboveBound(2));
    });
}

/// Two wait for permits that do not exist yet. Then two are made: at once, or one here and one elsewhere.
fn as_many_are_woken_as_there_is_room_for(explorer: Explorer) {
    let model = |elsewhere: u32| {
        move || {
            let semaphore = new(0, false);
            let waiters = [0, 1].map(|_| {
                let semaphore = semaphore.clone();
                process(move || {
                    let holder = semaphore.acquire(&Deadline::NEVER.into());
                    semaphore.forget(holder.expect("a place in the account"));
                })
            });
            let releaser = {
                let semaphore = semaphore.clone();
                process(move || assert_eq!(semaphore.release(elsewhere), Release::Done))
            };
            assert_eq!(semaphore.release(2 - elsewhere), Release::Done);
            releaser.join();
            waiters.into_iter().for_each(Process::join);
            assert_eq!(semaphore.available(), 0);
        }
    };
    explorer.coarse().thoroughly(model(0));
    explorer.coarse().thoroughly(model(1));
}

/// Two want the only permit, the one until noon, which comes at any moment; then it is given back. Whatever becomes of the one, it does
/// not take the wake-up with it that the other needs.
fn one_gives_up_waiting(explorer: Explorer) {
    explorer.coarse().thoroughly(|| {
        let semaphore = new(1, false);
        let holder = semaphore.acquire(&Deadline::NEVER.into()).expect("it is free");
        let waiters = [Deadline::Noon, Deadline::NEVER].map(|until| {
            let semaphore = semaphore.clone();
            process(move || match semaphore.acquire(&until.into()) {
                Ok(holder) => semaphore.give_back(holder),
                Err(denied) => assert_eq!((denied, until), (Denied::TimedOut, Deadline::Noon)),
            })
        });
        let clock = process(strike);
        semaphore.give_back(holder);
        clock.join();
        waiters.into_iter().for_each(Process::join);
        assert_eq!(semaphore.available(), 1);
    });
}

/// A process is killed at any step of taking the only permit, visiting a room for one, and giving it back, while two others
/// do the same. The permit comes back.
fn the_holder_is_killed(explorer: Explorer) {
    holder(explorer, Death::Marked);
}

/// The same without anybody who would report the death.
fn the_holder_is_killed_unreported(explorer: Explorer) {
    holder(explorer, Death::Unreported);
}

fn holder(explorer: Explorer, death: Death) {
    let model = |survivors: usize, bounded: bool| {
        move || {
            let (semaphore, data) = (new(1, bounded), Data::new());
            let work = |semaphore: &RawSemaphore, data: &Data| {
                let holder =
                    semaphore.acquire(&Deadline::NEVER.into()).expect("a place in the account");
                data.visit(|| ());
                semaphore.give_back(holder);
            };
            let killed = {
                let (semaphore, data) = (semaphore.clone(), data.clone());
                victim(move || work(&semaphore, &data))
            };
            let others: Vec<_> = (1..survivors)
                .map(|_| {
                    let (semaphore, data) = (semaphore.clone(), data.clone());
                    process(move || work(&semaphore, &data))
                })
                .collect();
            work(&semaphore, &data);
            others.into_iter().for_each(Process::join);
            killed.end();
            assert_eq!(semaphore.available(), 1);
        }
    };
    explorer.coarse().kill(death, model(1, false));
    explorer.strong().kill(death, model(1, false));
    explorer.strong().kill(death, model(1, true));
    explorer.strong().coarse().kill(death, model(2, false));
}

/// One waits for a permit, and who makes it is killed at any step. If it was made all the same, the waiter gets it; if not, it gets
/// the next.
fn the_releaser_is_killed(explorer: Explorer) {
    explorer.strong().kill(Death::Marked, || {
        let semaphore = new(0, false);
        let releaser = {
            let semaphore = semaphore.clone();
            victim(move || assert_eq!(semaphore.release(1), Release::Done))
        };
        let waiter = {
            let semaphore = semaphore.clone();
            process(move || {
                semaphore.acquire(&Deadline::NEVER.into()).expect("a place in the account")
            })
        };
        if releaser.end().is_none() && !has_passed(1, "semaphore: total raised") {
            assert_eq!(semaphore.release(1), Release::Done);
        }
        semaphore.forget(waiter.join());
        assert_eq!(semaphore.available(), 0);
    });
}
