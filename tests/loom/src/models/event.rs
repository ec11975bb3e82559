//! The event word.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, await_sleeper, process, shared, strike, victim},
    sync::raw::RawEvent,
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "event::what_was_written_before_is_seen_after",
        run: what_was_written_before_is_seen_after,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "event::it_goes_to_and_fro",
        run: it_goes_to_and_fro,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "event::a_short_one_is_not_missed",
        run: a_short_one_is_not_missed,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "event::one_gives_up_waiting",
        run: one_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "event::the_setter_is_killed",
        run: the_setter_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model { name: "event::a_waiter_is_killed", run: a_waiter_is_killed, notices: &[] },
];

fn new() -> Arc<RawEvent> {
    shared(RawEvent::new())
}

/// One writes and sets, two wait and read.
fn what_was_written_before_is_seen_after(explorer: Explorer) {
    explorer.explore(|| {
        let (event, data) = (new(), Data::new());
        let waiters = [0, 1].map(|_| {
            let (event, data) = (event.clone(), data.clone());
            process(move || {
                assert!(event.wait(&Deadline::NEVER.into()));
                assert_eq!(data.read_whole(), 1);
            })
        });
        data.add();
        event.set();
        waiters.into_iter().for_each(Process::join);
    });
}

/// Two hand the data to each other with an event in each direction, twice.
fn it_goes_to_and_fro(explorer: Explorer) {
    explorer.explore(|| {
        let (to, fro, data) = (new(), new(), Data::new());
        let other = {
            let (to, fro, data) = (to.clone(), fro.clone(), data.clone());
            process(move || {
                for _ in 0..2 {
                    to.wait(&Deadline::NEVER.into());
                    to.clear();
                    data.add();
                    fro.set();
                }
            })
        };
        for _ in 0..2 {
            data.add();
            to.set();
            fro.wait(&Deadline::NEVER.into());
            fro.clear();
        }
        other.join();
        assert_eq!(data.read_whole(), 4);
    });
}

/// Once somebody waits, the event is set, and cleared at once.
fn a_short_one_is_not_missed(explorer: Explorer) {
    explorer.explore(|| {
        let event = new();
        let waiter = {
            let event = event.clone();
            process(move || event.wait(&Deadline::NEVER.into()))
        };
        await_sleeper();
        event.set();
        event.clear();
        assert!(waiter.join());
        assert!(!event.is_set());
    });
}

/// Of two waiters one waits until noon, which comes at any moment. It finds the event set if it had been so before.
fn one_gives_up_waiting(explorer: Explorer) {
    explorer.explore(|| {
        let event = new();
        let waiters = [Deadline::Noon, Deadline::NEVER].map(|until| {
            let event = event.clone();
            process(move || event.wait(&until.into()) || until == Deadline::Noon)
        });
        let setter = {
            let event = event.clone();
            process(move || event.set())
        };
        strike();
        setter.join();
        assert!(event.wait(&Deadline::Over.into()));
        assert!(waiters.into_iter().all(Process::join));
    });
}

/// The setter is killed at any step. If the event was set all the same, those who wait leave, and see what was written before; if
/// not, they leave with the next one. One waits; and, with a preemption less, two.
fn the_setter_is_killed(explorer: Explorer) {
    let model = |waiters: usize| {
        move || {
            let (event, data) = (new(), Data::new());
            let setter = {
                let (event, data) = (event.clone(), data.clone());
                victim(move || {
                    data.add();
                    event.set();
                })
            };
            let waiters: Vec<_> = (0..waiters)
                .map(|_| {
                    let (event, data) = (event.clone(), data.clone());
                    process(move || {
                        assert!(event.wait(&Deadline::NEVER.into()));
                        assert_eq!(data.read_whole(), 1);
                    })
                })
                .collect();
            setter.end();
            if !event.is_set() {
                data.complete();
                event.set();
            }
            waiters.into_iter().for_each(Process::join);
        }
    };
    explorer.kill(Death::Marked, model(1));
    explorer.coarse().kill(Death::Marked, model(2));
}

/// One of two waiters is killed at any step.
fn a_waiter_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let event = new();
        let killed = {
            let event = event.clone();
            victim(move || event.wait(&Deadline::NEVER.into()))
        };
        let waiter = {
            let event = event.clone();
            process(move || event.wait(&Deadline::NEVER.into()))
        };
        event.set();
        assert!(waiter.join());
        killed.end();
        event.clear();
        assert!(!event.is_set());
    });
}
