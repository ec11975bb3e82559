//! `#[shared]` statics: one value for all processes of a program, made once, whoever comes first and whoever dies.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    eventually, everywhere, is_alive,
    programs::{command, run, told},
    signal, watchdog,
};
use psync::{ProcessError, prelude::*};
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn are_one_for_all() {
    everywhere("statics::are_one_for_all");
}

#[test]
fn are_of_any_type() {
    everywhere("statics::are_of_any_type");
}

#[test]
fn outlive_whoever_made_them() {
    everywhere("statics::outlive_whoever_made_them");
}

#[test]
fn are_made_afresh_after_a_panic_and_a_kill() {
    everywhere("statics::are_made_afresh_after_a_panic_and_a_kill");
}

#[test]
fn are_lent_like_other_shared_data() {
    everywhere("statics::are_lent_like_other_shared_data");
}

/// How many processes come at once.
const SIBLINGS: u32 = 200;

#[shared]
static MADE: AtomicU32 = AtomicU32::new(0);

#[shared]
static PRIZE: [u64; 100] = {
    MADE.fetch_add(1, Ordering::Relaxed);
    [u64::from(std::process::id()); 100]
};

#[shared]
struct Start {
    ready: Semaphore,
    go: Event,
}

#[process]
fn race(start: &Start) -> u64 {
    start.ready.release(1).expect("no limit");
    start.go.wait();
    let prize = *PRIZE;
    assert!(prize.iter().all(|part| *part == prize[0]), "it is whole");
    prize[0]
}

#[test]
fn siblings_that_race_get_one() {
    let _watchdog = watchdog();
    let start = Start { ready: Semaphore::new(0), go: Event::new() };
    let start = Shared::new(start).expect("shared memory");
    let processes: Vec<_> = (0..SIBLINGS).map(|_| race::spawn(&start).expect("a start")).collect();
    for _ in 0..SIBLINGS {
        start.ready.acquire().expect("no circle").forget();
    }
    start.go.set();
    let pids: Vec<u64> =
        processes.iter().map(|process| u64::from(process.pid().cast_unsigned())).collect();
    let prizes: Vec<u64> =
        processes.into_iter().map(|process| process.join().expect("whole")).collect();
    assert!(prizes.iter().all(|prize| *prize == prizes[0]), "{prizes:?}");
    assert!(pids.contains(&prizes[0]), "made by one of them");
    assert_eq!((MADE.load(Ordering::Relaxed), PRIZE[99]), (1, prizes[0]));
}

/// Two that need each other, but only when they are made for the first time.
mod crossed {
    use super::*;

    #[shared]
    static BEGUN: [Event; 2] = [const { Event::new() }; 2];

    fn make(own: usize, other: fn() -> u64) -> u64 {
        if BEGUN[own].is_set() {
            return 1;
        }
        BEGUN[own].set();
        BEGUN[1 - own].wait();
        other() + 1
    }

    #[shared]
    pub static FIRST: u64 = make(0, || *SECOND);
    #[shared]
    pub static SECOND: u64 = make(1, || *FIRST);
}

#[process]
fn cross(second: bool) -> u64 {
    if second { *crossed::SECOND } else { *crossed::FIRST }
}

#[test]
fn a_circle_over_processes_is_told_to_one_of_them() {
    let _watchdog = watchdog();
    let processes = [false, true].map(|second| cross::spawn(second).expect("a start"));
    let ends = processes.map(Process::join);
    let mut told = 0;
    for end in ends {
        match end {
            Ok(value) => assert!((1..=2).contains(&value)),
            Err(ProcessError::Panicked { message, .. }) => {
                assert!(message.contains("` cannot be made: "), "{message}");
                assert!(message.contains("deadlock"), "{message}");
                told += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(told, 1);
    assert!((1..=2).contains(&*crossed::FIRST) && (1..=2).contains(&*crossed::SECOND));
}

#[shared]
static KEPT: Value<u64> = Value::new(1);

#[process]
fn keep() -> u64 {
    KEPT.update(|kept| kept + 1)
}

#[test]
fn a_dead_supervisor_takes_none_along() {
    let _watchdog = watchdog();
    assert_eq!(keep::run().expect("ends"), 2);
    let supervisor = psync::__private::supervisor_pid().expect("there is one");
    signal(supervisor, libc::SIGKILL);
    assert!(eventually(|| !is_alive(supervisor)));
    assert_eq!(keep::run().expect("ends"), 3);
    assert_eq!(KEPT.get(), 3);
}

#[shared]
static RELEASES: Semaphore = Semaphore::new(1);

#[process]
fn hold(here: &Event) {
    let _permit = RELEASES.acquire().expect("it is free");
    here.set();
    loop {
        std::thread::park();
    }
}

/// What is in a static gets over a kill as it does elsewhere.
#[test]
fn a_permit_of_a_dead_process_comes_back() {
    let _watchdog = watchdog();
    let here = Shared::new(Event::new()).expect("shared memory");
    let process = hold::spawn(&here).expect("a start");
    here.wait();
    assert_eq!(RELEASES.available(), 0);
    process.kill().expect("it lives");
    assert!(RELEASES.acquire().is_ok());
}

#[test]
fn a_program_without_processes_has_them_too() {
    assert_eq!(run(["statics", "alone"]), "1 2, 0 descriptors, no supervisor\n");
}

#[test]
fn what_a_preload_makes_is_there_in_every_process() {
    assert_eq!(run(["statics", "preload"]), "42 43 44\n");
}

#[test]
fn a_panic_of_the_first_use_tells_the_static_and_the_line() {
    let output = command(["statics", "circle"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("the shared static `ITSELF` cannot be made: "), "{}", told(&output));
    assert!(said.contains("statics.rs"), "{}", told(&output));
}
