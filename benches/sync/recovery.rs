//! From the kill of a holder to the moment when the next one has the lock.

use super::{
    measure::{self, Contestant, Goal, Pace, Row},
    posix::{self, Kind, Memory},
};
use psync::prelude::*;
use std::time::{Duration, Instant};

const WORK: &str = "Mutex: from SIGKILL of the holder to the next";

/// How many holders of each kind are killed, if there is time.
const DEATHS: usize = 500;

#[shared]
struct Room {
    mutex: Mutex<u64>,
    #[init(posix::memory())]
    robust: Memory,
    locked: Event,
    never: Event,
}

#[process]
fn hold(room: &Room) {
    let _guard = room.mutex.lock().expect("sound");
    room.locked.set();
    room.never.wait();
}

#[process]
fn hold_pthread(room: &Room) {
    posix::Mutex::attach(&room.robust).lock();
    room.locked.set();
    room.never.wait();
}

/// Kills the holder once it has locked; the time that `take` then needs.
fn kill_and_take(room: &Room, holder: &Process<()>, take: impl FnOnce()) -> Duration {
    room.locked.wait();
    room.locked.clear();
    let start = Instant::now();
    holder.kill().expect("it lives");
    take();
    start.elapsed()
}

pub(crate) fn row(pace: &Pace) -> Option<Row> {
    if !pace.wants(WORK) {
        return None;
    }
    let room = Shared::new(Room::default()).expect("shared memory");
    let robust = posix::Mutex::new(&room.robust, Kind::Robust);
    let contestants = vec![
        Contestant::new("psync", |_| {
            let holder = hold::spawn(&room).expect("a holder");
            let elapsed = kill_and_take(&room, &holder, || {
                let taken = room.mutex.lock();
                assert!(matches!(taken, Err(LockError::Poisoned { .. })));
            });
            room.mutex.clear_poison();
            holder.wait();
            elapsed
        }),
        Contestant::new("pthread robust", |_| {
            let holder = hold_pthread::spawn(&room).expect("a holder");
            let elapsed = kill_and_take(&room, &holder, || robust.take_over());
            robust.give_back();
            holder.wait();
            elapsed
        }),
    ];
    let figures = measure::contest_of_singles(pace.rounds(DEATHS), contestants);
    Some(Row { work: WORK, figures, goal: Goal::Nanos(1e6) })
}
