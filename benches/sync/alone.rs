//! Primitives that nobody else uses at the time.

use super::{
    measure::{self, Contestant, Goal, Pace, Row},
    posix,
};
use psync::prelude::*;
use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

const ROUND: Duration = Duration::from_micros(200);

fn shared<T: ShmSafe>(value: T) -> Shared<T> {
    Shared::new(value).expect("shared memory")
}

#[allow(clippy::too_many_lines, reason = "a table, row by row")]
pub(crate) fn rows(pace: Pace) -> Vec<Row> {
    let mut rows = locks(pace);
    rows.extend(values(pace));
    rows.extend(signals(pace));
    rows
}

fn row(pace: Pace, work: &'static str, goal: Goal, contestants: Vec<Contestant<'_>>) -> Row {
    Row { work, figures: measure::contest(pace.rounds(800), ROUND, contestants), goal }
}

/// What a lock cannot do without.
fn two_swaps(word: &AtomicU64) -> Contestant<'_> {
    Contestant::calls("two swaps", move || {
        black_box(word).swap(1, SeqCst);
        black_box(word).swap(0, SeqCst);
    })
}

fn locks(pace: Pace) -> Vec<Row> {
    let word = AtomicU64::new(0);
    let ours = shared(Mutex::new(0_u64));
    let theirs = std::sync::Mutex::new(0_u64);
    let parking = parking_lot::Mutex::new(0_u64);
    let pthread = posix::Mutex::new(&posix::memory(), false);
    let robust = posix::Mutex::new(&posix::memory(), true);
    let mutex = row(
        pace,
        "Mutex: lock, unlock",
        Goal::Times(1.15, "std"),
        vec![
            Contestant::calls("psync", || *black_box(&*ours).lock().expect("sound") += 1),
            Contestant::calls("std", || *black_box(&theirs).lock().expect("sound") += 1),
            Contestant::calls("parking_lot", || *black_box(&parking).lock() += 1),
            Contestant::calls("pthread", || black_box(&pthread).add()),
            Contestant::calls("pthread robust", || black_box(&robust).add()),
            two_swaps(&word),
        ],
    );

    let array = Array::from_slice(&[0_u64; 64]).expect("shared memory");
    let vector = std::sync::Mutex::new(vec![0_u64; 64]);
    let array = row(
        pace,
        "Array: lock, unlock",
        Goal::Times(1.15, "std"),
        vec![
            Contestant::calls("psync", || black_box(&array).lock().expect("sound")[5] += 1),
            Contestant::calls("std", || black_box(&vector).lock().expect("sound")[5] += 1),
        ],
    );

    vec![mutex, array]
}

fn values(pace: Pace) -> Vec<Row> {
    let value = shared(Value::new(0_u64));
    let cell = std::sync::RwLock::new(0_u64);
    let get = row(
        pace,
        "Value: get",
        Goal::None,
        vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*value).get());
            }),
            Contestant::calls("std RwLock", || {
                black_box(*black_box(&cell).read().expect("sound"));
            }),
        ],
    );
    let set = row(
        pace,
        "Value: set",
        Goal::None,
        vec![
            Contestant::calls("psync", || black_box(&*value).set(1)),
            Contestant::calls("std RwLock", || *black_box(&cell).write().expect("sound") = 1),
        ],
    );
    let update = row(
        pace,
        "Value: update",
        Goal::None,
        vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*value).update(|n| n + 1));
            }),
            Contestant::calls("std RwLock", || *black_box(&cell).write().expect("sound") += 1),
        ],
    );

    vec![get, set, update]
}

fn signals(pace: Pace) -> Vec<Row> {
    let word = AtomicU64::new(0);
    let permits = shared(Semaphore::new(1));
    let sem = posix::Semaphore::new(&posix::memory());
    let semaphore = row(
        pace,
        "Semaphore: acquire, release",
        Goal::Times(1.0, "sem_t"),
        vec![
            Contestant::calls("psync", || drop(black_box(&*permits).acquire().expect("room"))),
            Contestant::calls("sem_t", || black_box(&sem).take_and_give_back()),
        ],
    );

    let event = shared(Event::new());
    let flag = posix::Flag::default();
    let set_clear = row(
        pace,
        "Event: set, clear",
        Goal::Nanos(10.0),
        vec![
            Contestant::calls("psync", || {
                black_box(&*event).set();
                black_box(&*event).clear();
            }),
            Contestant::calls("std Condvar", || {
                black_box(&flag).set();
                black_box(&flag).clear();
            }),
            two_swaps(&word),
        ],
    );
    let is_set = row(
        pace,
        "Event: is_set",
        Goal::Nanos(1.0),
        vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*event).is_set());
            }),
            Contestant::calls("std Condvar", || {
                black_box(black_box(&flag).is_set());
            }),
        ],
    );
    vec![semaphore, set_clear, is_set]
}
