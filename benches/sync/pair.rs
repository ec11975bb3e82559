//! Primitives that two processes use at the same time.

use super::{
    duo::{self, Stage},
    measure::{self, Goal, Pace, Row},
    posix::{self, Memory},
};
use psync::prelude::*;
use std::{hint::black_box, thread, time::Duration};

const ROUND: Duration = Duration::from_millis(1);

/// What the partners need, one stage for each.
#[shared]
struct Hall {
    mutex: Mutex<u64>,
    /// Keeps what the leader waits on out of the cache lines of what is measured.
    _apart: [u64; 32],
    #[init(Barrier::new(2))]
    barrier: Barrier,
    _apart_too: [u64; 32],
    stages: [Stage; 8],
}

#[process]
fn partner_on_mutex(hall: &Hall) {
    duo::accompany(&hall.stages[0], || *hall.mutex.lock().expect("sound") += 1);
}

#[process]
fn partner_on_pthread(hall: &Hall, memory: Memory, stage: usize) {
    let mutex = posix::Mutex::attach(&memory);
    duo::accompany(&hall.stages[stage], || mutex.add());
}

#[process]
fn partner_at_barrier(hall: &Hall) {
    duo::accompany(&hall.stages[4], || {
        black_box(hall.barrier.wait().expect("whole"));
    });
}

#[process]
fn partner_at_pthread_barrier(hall: &Hall, memory: Memory) {
    let barrier = posix::Barrier::attach(&memory);
    duo::accompany(&hall.stages[5], || barrier.wait());
}

pub(crate) fn rows(pace: Pace) -> Vec<Row> {
    let hall = Shared::new(Hall::default()).expect("shared memory");
    vec![mutex(pace, &hall), barrier(pace, &hall)]
}

fn mutex(pace: Pace, hall: &Shared<Hall>) -> Row {
    let (plain, robust) = (posix::memory(), posix::memory());
    let pthread = posix::Mutex::new(&plain, false);
    let pthread_robust = posix::Mutex::new(&robust, true);
    let parking = parking_lot::Mutex::new(0_u64);
    let partners = [
        partner_on_mutex::spawn(hall),
        partner_on_pthread::spawn(hall, plain, 1),
        partner_on_pthread::spawn(hall, robust, 2),
    ];
    let figures = thread::scope(|scope| {
        scope.spawn(|| duo::accompany(&hall.stages[3], || *parking.lock() += 1));
        let contestants = vec![
            duo::contestant("psync", &hall.stages[0], true, || {
                *hall.mutex.lock().expect("sound") += 1;
            }),
            duo::contestant("pthread", &hall.stages[1], true, || pthread.add()),
            duo::contestant("pthread robust", &hall.stages[2], true, || pthread_robust.add()),
            duo::contestant("parking_lot (threads)", &hall.stages[3], true, || {
                *parking.lock() += 1;
            }),
        ];
        let figures = measure::contest(pace.rounds(400), ROUND, contestants);
        hall.stages[..4].iter().for_each(Stage::end);
        figures
    });
    for partner in partners {
        partner.expect("a partner").join().expect("it ends well");
    }
    Row {
        work: "Mutex: two processes, per hold",
        figures,
        goal: Goal::Ahead(&["pthread", "pthread robust"]),
    }
}

fn barrier(pace: Pace, hall: &Shared<Hall>) -> Row {
    let memory = posix::memory();
    let pthread = posix::Barrier::new(&memory);
    let partners =
        [partner_at_barrier::spawn(hall), partner_at_pthread_barrier::spawn(hall, memory)];
    let threads = std::sync::Barrier::new(2);
    let figures = thread::scope(|scope| {
        scope.spawn(|| {
            duo::accompany(&hall.stages[6], || {
                threads.wait();
            });
        });
        let contestants = vec![
            duo::contestant("psync", &hall.stages[4], false, || {
                black_box(hall.barrier.wait().expect("whole"));
            }),
            duo::contestant("pthread", &hall.stages[5], false, || pthread.wait()),
            duo::contestant("std (threads)", &hall.stages[6], false, || {
                threads.wait();
            }),
        ];
        let figures = measure::contest(pace.rounds(200), ROUND, contestants);
        hall.stages[4..7].iter().for_each(Stage::end);
        figures
    });
    for partner in partners {
        partner.expect("a partner").join().expect("it ends well");
    }
    Row { work: "Barrier: two processes", figures, goal: Goal::Nanos(300.0) }
}
