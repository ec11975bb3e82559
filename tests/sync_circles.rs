//! Circles of all kinds are reported: each to one of those who are in it, and the others go on.
#![allow(missing_docs, reason = "a test")]

mod circles;
mod killing;

use circles::{Outcome, only_report, outcome};
use killing::{HANG, Watchdog, kill, look_at, poll_for, rounds, signal};
use psync::{dump_waits, prelude::*};
use std::time::{Duration, Instant};

const SEATS: usize = 5;

#[shared]
struct Table {
    #[init([const { Mutex::new(0) }; SEATS])]
    forks: [Mutex<u64>; SEATS],
    #[init(Value::new(0))]
    seated: Value<usize>,
    all_seated: Event,
}

fn table() -> Shared<Table> {
    Shared::new(Table::default()).expect("shared memory")
}

impl Table {
    /// Returns when `count` have come.
    fn sit_down(&self, count: usize) {
        if self.seated.update(|n| n + 1) == count {
            self.all_seated.set();
        }
        self.all_seated.wait();
    }
}

/// Takes the fork on its left, and when all have one, the fork on its right.
#[process(name = "diner", daemon)]
fn dines(table: &Table, seat: usize, seats: usize) -> Outcome {
    let _left = table.forks[seat].lock().expect("sound");
    table.sit_down(seats);
    let since = Instant::now();
    outcome(table.forks[(seat + 1) % seats].lock(), since)
}

/// One is told of a circle of them all.
fn one_is_told(outcomes: &[Outcome]) {
    let report = only_report(outcomes);
    assert_eq!(report.matches("which waits at").count(), outcomes.len() - 1, "{report}");
}

fn dine_with(method: StartMethod, seats: usize) -> Vec<Outcome> {
    let table = table();
    let start = |seat| {
        let options = Options::new().daemon(true).start_method(method);
        dines::spawn_with(options, &table, seat, seats).expect("started")
    };
    let diners: Vec<_> = (0..seats).map(start).collect();
    diners.into_iter().map(|diner| diner.join().expect("ends")).collect()
}

#[test]
fn rings_of_three_and_of_five_are_reported_once() {
    let watchdog = Watchdog::new("rings_of_three_and_of_five");
    for seats in [3, SEATS] {
        for method in [StartMethod::ForkServer, StartMethod::Spawn] {
            watchdog.step(format!("{seats}, {method:?}"));
            one_is_told(&dine_with(method, seats));
        }
    }
}

/// Only a process with one thread forks itself.
#[process]
fn dine_with_forks(seats: usize) -> Vec<Outcome> {
    dine_with(StartMethod::Fork, seats)
}

#[test]
fn rings_of_forked_processes_are_reported_once() {
    let watchdog = Watchdog::new("rings_of_forked_processes");
    for seats in [2, 3, SEATS] {
        watchdog.step(format!("{seats}"));
        one_is_told(&dine_with_forks::run(seats).expect("ends"));
    }
}

fn are_waiting(pids: &[i32]) -> bool {
    let waits = dump_waits();
    pids.iter().all(|pid| waits.contains(&format!("`diner` (process {pid}, ")))
}

/// One of three that wait for each other is killed before any of them has looked round: nobody is told of a circle that is no more.
#[test]
fn a_circle_that_a_death_breaks_is_not_reported() {
    let watchdog = Watchdog::new("a_circle_that_a_death_breaks");
    let mut broken = 0;
    for round in 0.. {
        watchdog.step(format!("round {round}"));
        let table = table();
        let start = |seat| dines::spawn(&table, seat, 3).expect("started");
        let mut diners: Vec<_> = (0..3).map(start).collect();
        let pids: Vec<i32> = diners.iter().map(Process::pid).collect();
        let has_ended = || diners.iter().any(|diner| !diner.is_alive());
        assert!(poll_for(HANG / 2, || are_waiting(&pids) || has_ended()));
        let victim = diners.remove(round % 3);
        for diner in &diners {
            signal(diner.pid(), libc::SIGSTOP);
            let stands =
                || look_at(diner.pid()).is_none_or(|seen| seen.state == 'T' || seen.zombie);
            assert!(poll_for(HANG / 2, stands));
        }
        // Otherwise the machine was so busy that somebody has looked round already.
        let in_time = are_waiting(&pids);
        kill(victim.pid());
        if round % 2 == 0 {
            victim.wait();
        }
        for diner in &diners {
            signal(diner.pid(), libc::SIGCONT);
        }
        let outcomes: Vec<_> =
            diners.into_iter().map(|diner| diner.join().expect("ends")).collect();
        if in_time {
            assert!(outcomes.contains(&Outcome::Poisoned(victim.pid())), "{outcomes:?}");
            assert!(outcomes.contains(&Outcome::Taken), "{outcomes:?}");
            broken += 1;
        }
        if broken == rounds(4) {
            break;
        }
    }
}

#[process]
fn nothing() {}

/// Each end of a process wakes everybody who waits; that does not put off looking round.
#[test]
fn starts_and_ends_of_others_do_not_delay_a_report() {
    let _watchdog = Watchdog::new("starts_and_ends_of_others");
    let table = table();
    let diners = [0, 1].map(|seat| dines::spawn(&table, seat, 2).expect("started"));
    while diners.iter().any(Process::is_alive) {
        nothing::run().expect("ends");
    }
    one_is_told(&diners.map(|diner| diner.join().expect("ends")));
}

/// One of the two waits for some time only: the circle ends by itself, and nobody is told.
#[process(daemon)]
fn dines_impatiently(table: &Table, seat: usize) -> Option<LockError> {
    let _left = table.forks[seat].lock().expect("sound");
    table.sit_down(3);
    table.forks[(seat + 1) % 3].lock_timeout(Duration::from_millis(1200)).err()
}

#[test]
fn a_circle_with_a_timeout_in_it_is_not_reported() {
    let _watchdog = Watchdog::new("a_circle_with_a_timeout_in_it");
    let table = table();
    let patient = [0, 1].map(|seat| dines::spawn(&table, seat, 3).expect("started"));
    let impatient = dines_impatiently::spawn(&table, 2).expect("started");
    assert_eq!(impatient.join().expect("ends"), Some(LockError::TimedOut));
    for diner in patient {
        assert_eq!(diner.join().expect("ends"), Outcome::Taken);
    }
}

/// How often it has dined, and how often it was told to let go.
#[process(daemon)]
fn dines_on(table: &Table, seat: usize, time: Duration) -> [u64; 2] {
    let ([mut dined, mut told], begin) = ([0; 2], Instant::now());
    while begin.elapsed() < time {
        let mut left = table.forks[seat].lock().expect("nothing is held");
        // So that the others take theirs.
        std::thread::yield_now();
        match table.forks[(seat + 1) % SEATS].lock() {
            Ok(mut right) => {
                *left += 1;
                *right += 1;
                dined += 1;
            }
            Err(LockError::Deadlock(_)) => told += 1,
            Err(error) => panic!("{error}"),
        }
    }
    [dined, told]
}

/// Whoever is told lets go and tries again: nobody hangs, in any circle.
#[test]
fn who_is_told_can_let_go_and_the_others_go_on() {
    let watchdog = Watchdog::new("who_is_told_can_let_go");
    for round in 0..rounds(1) {
        watchdog.step(format!("round {round}"));
        let (table, time) = (table(), Duration::from_secs(4));
        let all = parallel! { for seat in 0..SEATS => dines_on(&table, seat, time) };
        let all = all.expect("nobody fails");
        println!("[dined, told]: {all:?}");
        let forks: u64 = table.forks.iter().map(|fork| *fork.lock().expect("sound")).sum();
        assert_eq!(forks, 2 * all.iter().map(|[dined, _]| dined).sum::<u64>());
    }
}
