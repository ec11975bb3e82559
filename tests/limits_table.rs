//! The process table is full: a clear error, and all is well as soon as there is room.
#![allow(unsafe_code, reason = "raises a limit")]

mod killing;

use killing::{Traces, Watchdog, descendants, own_pid, poll_for};
use psync::{SpawnError, prelude::*};
use std::sync::{Mutex as StdMutex, PoisonError};

/// There is one table in this program.
static ALONE: StdMutex<()> = StdMutex::new(());

/// How many processes of a program there can be.
const PLACES: usize = 4096;
/// How many a process below us holds.
const BELOW: usize = 500;

#[process]
fn same(n: usize) -> usize {
    n
}

/// Each handle has a descriptor.
fn can_hold(handles: usize) -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let wanted = handles as u64 + 100;
    // SAFETY: fills a live variable.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if limit.rlim_cur < wanted {
        limit.rlim_cur = wanted.min(limit.rlim_max);
        // SAFETY: reads a live variable.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    }
    if limit.rlim_cur < wanted {
        println!("skipped: {} descriptors are too few", limit.rlim_cur);
    }
    limit.rlim_cur >= wanted
}

/// A process that has ended keeps its place as long as somebody may ask for its result. Starts such processes until there is no place.
fn fill(watchdog: &Watchdog) -> Vec<Process<usize>> {
    let mut all = Vec::new();
    loop {
        watchdog.step(format!("start {}", all.len()));
        match same::spawn(all.len()) {
            Ok(process) => {
                process.wait();
                all.push(process);
            }
            Err(SpawnError::TableFull) => return all,
            Err(error) => panic!("start {}: {error}", all.len()),
        }
        assert!(all.len() < PLACES);
    }
}

fn join_all(all: Vec<Process<usize>>) {
    for (n, process) in all.into_iter().enumerate() {
        assert_eq!(process.join().expect("a result"), n);
    }
}

#[test]
fn a_full_table_says_so_and_loses_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_full_table_says_so_and_loses_nothing");
    if !can_hold(PLACES) {
        return;
    }
    assert_eq!(same::run(1).expect("a first start"), 1);
    let traces = Traces::now();
    let mut all = fill(&watchdog);
    // One place is our own.
    assert_eq!(all.len(), PLACES - 1);
    let error = same::spawn(0).expect_err("no place").to_string();
    assert!(error.contains("4096 processes"), "{error}");
    // One place is enough for any number of starts, one after the other.
    let last = all.pop().expect("many");
    assert_eq!(last.join().expect("a result"), PLACES - 2);
    for n in 0..100 {
        assert_eq!(same::run(n).expect("a place"), n);
    }
    watchdog.step("joining all");
    join_all(all);
    traces.check(0).expect("nothing is left");
}

#[shared]
struct Below {
    full: Event,
    end: Event,
}

/// Holds many places, and stays.
#[process]
fn hold(below: &Below) -> usize {
    let all: Vec<_> = (0..BELOW).map(|n| same::spawn(n).expect("starts")).collect();
    assert!(all.iter().all(|process| process.wait().success()));
    below.full.set();
    below.end.wait();
    all.len()
}

#[test]
fn the_places_of_a_killed_starter_come_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("the_places_of_a_killed_starter_come_back");
    if !can_hold(PLACES) {
        return;
    }
    watchdog.step("a starter below");
    let below = Shared::new(Below::default()).expect("memory");
    let holder = hold::spawn(&below).expect("starts");
    below.full.wait();
    let all = fill(&watchdog);
    assert_eq!(all.len(), PLACES - 2 - BELOW);
    watchdog.step("starts after its death");
    holder.kill().expect("may be signalled");
    holder.wait();
    let more: Vec<_> = (0..=BELOW / 2).map(|n| same::spawn(n).expect("a place")).collect();
    join_all(more);
    join_all(all);
    drop(holder);
    let few = || descendants(own_pid()).len() <= 5;
    assert!(poll_for(killing::HANG / 2, few), "{:?}", descendants(own_pid()));
}

/// Starts processes whenever there is a place; returns how often there was none.
#[process]
fn start_some(times: usize) -> usize {
    let (mut started, mut refused) = (0, 0);
    while started < times {
        match same::run(started) {
            Ok(result) => {
                assert_eq!(result, started);
                started += 1;
            }
            Err(ProcessError::NotStarted { error: SpawnError::TableFull, .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    refused
}

#[test]
fn sweeping_a_full_table_takes_nothing_from_others() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("sweeping_a_full_table_takes_nothing_from_others");
    if !can_hold(PLACES) {
        return;
    }
    let mut all = fill(&watchdog);
    // Three places for two starters and a start of theirs: one of them often finds no place, and looks for one that is abandoned.
    for _ in 0..3 {
        all.pop();
    }
    watchdog.step("two starters and one place");
    let others: Vec<_> = (0..2).map(|_| start_some::spawn(200).expect("a place")).collect();
    let refused: Vec<_> =
        others.into_iter().map(|other| other.join().expect("every start has an end")).collect();
    println!("no place {refused:?} times beside 200 starts each");
    drop(all);
}
