//! Starts by the hundred and by the thousand: at the same time, one after the other, and on one CPU.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{descriptors, eventually, one_at_a_time, programs::run, sleep_for_ever, watchdog_for};
use psync::{active_children, prelude::*};
use std::{sync::Barrier as ThreadBarrier, thread, time::Duration};

const PATIENCE: Duration = Duration::from_mins(5);

#[process]
fn square(n: u64) -> u64 {
    n * n
}

/// Eight threads begin together; each starts all its processes before it waits for the first of them.
#[test]
fn a_thousand_from_eight_threads() {
    let (_watchdog, _alone) = (watchdog_for(PATIENCE), one_at_a_time());
    let together = ThreadBarrier::new(8);
    thread::scope(|scope| {
        for thread in 0..8 {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                let numbers = || (0..125).map(|n| thread * 1_000 + n);
                let start = |n| square::spawn(n).expect("a start");
                let processes: Vec<_> = numbers().map(start).collect();
                for (n, process) in numbers().zip(processes) {
                    assert_eq!(process.join().expect("a result"), n * n);
                }
            });
        }
    });
    assert_eq!(active_children(), []);
}

/// A room for two hundred.
#[shared]
struct Hall {
    #[init(Semaphore::new(200))]
    seats: Semaphore,
    #[init(Barrier::new(201))]
    full: Barrier,
}

/// Holds a seat until everybody has one.
#[process]
fn sit(hall: &Hall) -> psync::Result<()> {
    let _seat = hall.seats.acquire();
    hall.full.wait()?;
    Ok(())
}

/// Holds a seat until it is ended.
#[process(acquire(hall.seats))]
fn stay(hall: &Hall) {
    sleep_for_ever();
}

#[test]
fn two_hundred_at_the_same_time() {
    let (_watchdog, _alone) = (watchdog_for(PATIENCE), one_at_a_time());
    let hall = Shared::new(Hall::default()).expect("shared memory");
    let guests: Vec<_> = (0..200).map(|_| sit::spawn(&hall).expect("a start")).collect();
    assert!(eventually(|| hall.seats.available() == 0), "{} are free", hall.seats.available());
    assert!(guests.iter().all(psync::Process::is_alive));
    hall.full.wait().expect("nobody breaks it");
    for guest in guests {
        guest.join().expect("a result").expect("nobody breaks the barrier");
    }
    assert_eq!(hall.seats.available(), 200);
}

#[test]
fn two_thousand_in_sequence_leave_nothing() {
    let (_watchdog, _alone) = (watchdog_for(PATIENCE), one_at_a_time());
    leave_nothing(2_000);
}

/// Runs processes one after the other, and compares what this process has before and after.
fn leave_nothing(count: u64) {
    // The first one opens what stays open.
    assert_eq!(square::run(3).expect("a result"), 9);
    let (open, children) = (descriptors(), active_children());
    for n in 0..count {
        assert_eq!(square::run(n).expect("a result"), n * n);
    }
    assert_eq!(descriptors(), open);
    assert_eq!(active_children(), children);
}

/// The process that starts is on one CPU; the supervisor, and what it starts, may be on any.
#[test]
fn from_a_process_on_one_cpu() {
    let (_watchdog, _alone) = (watchdog_for(PATIENCE), one_at_a_time());
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let pinned = |()| {
            common::stay_on_one_cpu();
            leave_nothing(300);
            let hall = Shared::new(Hall::default()).expect("shared memory");
            let guests: Vec<_> = (0..50).map(|_| stay::spawn(&hall).expect("a start")).collect();
            assert!(eventually(|| hall.seats.available() == 150));
            for guest in &guests {
                guest.kill().expect("it can be signalled");
                assert_eq!(guest.wait().signal(), Some(libc::SIGKILL));
            }
            assert!(eventually(|| hall.seats.available() == 200));
            drop(guests);
            active_children().len()
        };
        let process = psync::spawn_with(Options::new().start_method(method), pinned, ());
        assert_eq!(process.expect("a start").join().expect("a result"), 0);
    }
}

/// The whole program is, with its supervisor and all its processes.
#[test]
fn in_a_program_on_one_cpu() {
    let (_watchdog, _alone) = (watchdog_for(PATIENCE), one_at_a_time());
    assert_eq!(run(["limits", "one-cpu"]), "Fork\nForkServer\nSpawn\n");
}
