//! Barriers, and the death of parties inside.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, doomed, endanger, process, shared, strike, victim},
    points::has_passed,
    sync::raw::{Arrival, RawBarrier},
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "barrier::two_cross_again_and_again",
        run: two_cross_again_and_again,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "barrier::three_cross_twice",
        run: three_cross_twice,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "barrier::the_last_acts_before_anybody_leaves",
        run: the_last_acts_before_anybody_leaves,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "barrier::one_gives_up_waiting",
        run: one_gives_up_waiting,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "barrier::a_party_is_killed_inside",
        run: a_party_is_killed_inside,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "barrier::a_party_is_killed_inside_unreported",
        run: a_party_is_killed_inside_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "barrier::a_party_is_killed_anywhere",
        run: a_party_is_killed_anywhere,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
];

fn new(parties: u32) -> Arc<RawBarrier> {
    shared(RawBarrier::new(parties))
}

/// Crosses; with an action, which is run by the last party.
fn cross(barrier: &RawBarrier, action: Option<&Data>, until: Deadline) -> Result<u32, i32> {
    match barrier.arrive(action.is_some(), &until.into())? {
        Arrival::Crossed(index) => Ok(index),
        Arrival::Early(turn) => barrier.wait(&turn, &until.into()),
        Arrival::Last(turn) => {
            if let Some(data) = action {
                data.add();
            }
            barrier.finish(&turn)
        }
    }
}

/// Two processes write something of their own, cross, read what the other one wrote, and cross again, twice.
fn two_cross_again_and_again(explorer: Explorer) {
    explorer.thoroughly(|| {
        let (barrier, mine, theirs) = (new(2), Data::new(), Data::new());
        let party = |barrier: &RawBarrier, mine: &Data, theirs: &Data| {
            let cross = || cross(barrier, None, Deadline::NEVER).expect("it is whole");
            mine.add();
            let index = cross();
            assert_eq!(theirs.read_whole(), 1);
            [index, cross()]
        };
        let other = {
            let (barrier, mine, theirs) = (barrier.clone(), mine.clone(), theirs.clone());
            process(move || party(&barrier, &theirs, &mine))
        };
        let indices = party(&barrier, &mine, &theirs);
        for (mine, theirs) in indices.into_iter().zip(other.join()) {
            assert_eq!(mine + theirs, 1, "there is a first and a second one");
        }
        assert_eq!(barrier.waiting(), 0);
    });
}

/// Three processes cross twice.
fn three_cross_twice(explorer: Explorer) {
    explorer.strong().explore(|| {
        let barrier = new(3);
        let party = |barrier: &RawBarrier| {
            [0, 1].map(|_| cross(barrier, None, Deadline::NEVER).expect("it is whole"))
        };
        let others = [0, 1].map(|_| {
            let barrier = barrier.clone();
            process(move || party(&barrier))
        });
        let mut sum = party(&barrier);
        for other in others {
            for (sum, index) in sum.iter_mut().zip(other.join()) {
                *sum += index;
            }
        }
        assert_eq!(sum, [3, 3], "the indices are 0, 1 and 2");
    });
}

/// Two processes cross a barrier with an action: each finds it done when it comes out. And with strong memory, twice.
fn the_last_acts_before_anybody_leaves(explorer: Explorer) {
    let model = |crossings: u32| {
        move || {
            let (barrier, data) = (new(2), Data::new());
            let party = move |barrier: &RawBarrier, data: &Data| {
                for crossing in 1..=crossings {
                    cross(barrier, Some(data), Deadline::NEVER).expect("it is whole");
                    assert_eq!(data.read_whole(), crossing);
                    if crossing < crossings {
                        cross(barrier, None, Deadline::NEVER).expect("it is whole");
                    }
                }
            };
            let other = {
                let (barrier, data) = (barrier.clone(), data.clone());
                process(move || party(&barrier, &data))
            };
            party(&barrier, &data);
            other.join();
        }
    };
    explorer.explore(model(1));
    explorer.strong().fine().explore(model(2));
}

/// One of two parties waits until noon, which comes at any moment: both cross, or neither.
fn one_gives_up_waiting(explorer: Explorer) {
    explorer.thoroughly(|| {
        let barrier = new(2);
        let parties = [Deadline::Noon, Deadline::NEVER].map(|until| {
            let barrier = barrier.clone();
            process(move || cross(&barrier, None, until))
        });
        strike();
        let [one, other] = parties.map(Process::join);
        assert_eq!(one.is_ok(), other.is_ok());
        assert_eq!(barrier.is_broken(), one.is_err());
    });
}

/// Of three parties one never comes, and one is killed: asleep, or at any step of giving up. The third one is told, by the death alone.
/// Then the barrier is made as new, and is crossed.
fn a_party_is_killed_inside(explorer: Explorer) {
    inside(explorer, Death::Marked);
}

/// The same without anybody who would report the death.
fn a_party_is_killed_inside_unreported(explorer: Explorer) {
    inside(explorer, Death::Unreported);
}

fn inside(explorer: Explorer, death: Death) {
    fn model(start: fn(Arc<RawBarrier>) -> Process<()>) -> impl Fn() + Send + Sync {
        move || {
            let barrier = new(3);
            let killed = start(barrier.clone());
            let crossed = cross(&barrier, None, Deadline::NEVER);
            // It may have broken the barrier by giving up before it was killed.
            let gave_up = killed.end().is_some() || has_passed(1, "barrier: round begun");
            assert!(barrier.is_broken());
            assert!(crossed == Err(VICTIM) || (crossed == Err(0) && gave_up), "{crossed:?}");
            cross_anew(&barrier);
        }
    }
    let asleep = |barrier: Arc<RawBarrier>| {
        doomed(move || core::mem::forget(barrier.arrive(false, &Deadline::NEVER.into())))
    };
    let giving_up = |barrier: Arc<RawBarrier>| {
        process(move || {
            if let Ok(Arrival::Early(turn)) = barrier.arrive(false, &Deadline::NEVER.into()) {
                endanger();
                assert_eq!(barrier.wait(&turn, &Deadline::Over.into()), Err(0));
            }
        })
    };
    explorer.strong().die(death, model(asleep));
    explorer.strong().coarse().kill(death, model(giving_up));
}

/// Makes it as new and crosses it with as many as it is for.
fn cross_anew(barrier: &Arc<RawBarrier>) {
    barrier.reset();
    let others = (1..barrier.parties()).map(|_| {
        let barrier = barrier.clone();
        process(move || cross(&barrier, None, Deadline::NEVER))
    });
    let others: Vec<_> = others.collect();
    assert!(cross(barrier, None, Deadline::NEVER).is_ok());
    assert!(others.into_iter().all(|other| other.join().is_ok()));
}

/// The pid of the first process that is started.
const VICTIM: i32 = 2;

/// One of two parties is killed at any step. If it had not begun, somebody takes its place; else the other one leaves by itself.
fn a_party_is_killed_anywhere(explorer: Explorer) {
    explorer.strong().kill(Death::Marked, || {
        let barrier = new(2);
        let killed = {
            let barrier = barrier.clone();
            victim(move || cross(&barrier, None, Deadline::NEVER))
        };
        let other = {
            let barrier = barrier.clone();
            process(move || cross(&barrier, None, Deadline::NEVER))
        };
        let began = ["mutex: holder set", "mutex: holder set slowly"];
        if killed.end().is_none() && !began.iter().any(|point| has_passed(1, point)) {
            let _ = cross(&barrier, None, Deadline::Over);
        }
        let _ = other.join();
        cross_anew(&barrier);
    });
}
