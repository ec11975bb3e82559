//! Barriers, between processes.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "being late takes time")]

mod common;

use common::{eventually, watchdog};
use psync::{BrokenBarrier, prelude::*};
use std::time::Duration;

const PARTIES: usize = 5;
const ALL: u32 = 5;

#[shared]
struct Ground {
    #[init(Barrier::new(PARTIES))]
    gate: Barrier,
    #[init(Barrier::new(PARTIES))]
    second: Barrier,
    #[init(Barrier::with_action(PARTIES, act))]
    acting: Barrier,
    actions: Value<u32>,
    before: Value<u32>,
    behind: Value<u32>,
}

/// The action has no argument, so that it finds what it counts by way of the process that runs it.
struct Actions(std::sync::Mutex<Option<Shared<Ground>>>);

static ACTIONS: Actions = Actions(std::sync::Mutex::new(None));

fn act() {
    let ground = ACTIONS.0.lock().expect("no panic");
    ground.as_ref().expect("every party sets it").actions.update(|n| n + 1);
}

fn ground() -> Shared<Ground> {
    Shared::new(Ground::default()).expect("shared memory")
}

#[process]
fn cross_many_times(ground: &Ground, rounds: u32) -> Result<(), BrokenBarrier> {
    for round in 0..rounds {
        ground.before.update(|n| n + 1);
        assert_eq!(ground.behind.get(), ALL * round);
        ground.gate.wait()?;
        ground.behind.update(|n| n + 1);
        assert_eq!(ground.before.get(), ALL * (round + 1));
        ground.gate.wait()?;
    }
    Ok(())
}

fn crosses(rounds: u32) {
    let ground = ground();
    let ends = parallel! { for _ in 0..PARTIES => cross_many_times(&ground, rounds) };
    assert!(ends.expect("no process fails").iter().all(Result::is_ok));
    assert_eq!(ground.gate.waiting(), 0);
    assert!(!ground.gate.is_broken());
    assert_eq!(ground.gate.parties(), PARTIES);
}

/// `_TestBarrier.test_barrier`
#[test]
fn all_parties_cross_together() {
    let _watchdog = watchdog();
    crosses(1);
}

/// `_TestBarrier.test_barrier_10`
#[test]
fn a_barrier_is_crossed_again_and_again() {
    let _watchdog = watchdog();
    crosses(10);
}

#[process]
fn cross(ground: &Ground) -> Option<usize> {
    ground.gate.wait().ok().map(|passed| passed.index())
}

/// `_TestBarrier.test_wait_return`
#[test]
fn every_party_has_an_index_of_its_own() {
    let _watchdog = watchdog();
    let ground = ground();
    let mut indices =
        parallel! { for _ in 0..PARTIES => cross(&ground) }.expect("no process fails");
    indices.sort_unstable();
    assert_eq!(indices, (0..PARTIES).map(Some).collect::<Vec<_>>());
}

#[process]
fn cross_acting(ground: Shared<Ground>) -> Vec<u32> {
    *ACTIONS.0.lock().expect("no panic") = Some(ground.clone());
    let rounds = (0..3).map(|_| {
        ground.acting.wait().expect("nobody dies");
        let seen = ground.actions.get();
        ground.second.wait().expect("nobody dies");
        seen
    });
    rounds.collect()
}

/// `_TestBarrier.test_action`
#[test]
fn the_action_runs_once_per_crossing_before_anyone_passes() {
    let _watchdog = watchdog();
    let ground = ground();
    let seen = parallel! { for _ in 0..PARTIES => cross_acting(ground.clone()) };
    assert_eq!(seen.expect("no process fails"), vec![vec![1, 2, 3]; PARTIES]);
    assert_eq!(ground.actions.get(), 3);
}

/// Crosses once; then the party with index 2 does something else than the others, which wait.
#[process]
fn part(ground: &Ground, abort: bool) -> (usize, bool) {
    let index = ground.gate.wait().expect("all come").index();
    if index != 2 {
        return (index, ground.gate.wait().is_ok());
    }
    if abort {
        ground.gate.abort();
    } else {
        assert!(eventually(|| ground.gate.waiting() == PARTIES - 1));
        ground.gate.reset();
    }
    (index, false)
}

/// `_TestBarrier.test_abort`
#[test]
fn an_abort_breaks_the_barrier_for_good() {
    let _watchdog = watchdog();
    let ground = ground();
    let ends = parallel! { for _ in 0..PARTIES => part(&ground, true) }.expect("no process fails");
    assert!(ends.iter().all(|(_, passed)| !passed), "{ends:?}");
    assert!(ground.gate.is_broken());
    assert!(ground.gate.wait().is_err());
}

/// `_TestBarrier.test_reset`
#[test]
fn a_reset_sends_waiters_away_and_makes_the_barrier_as_new() {
    let _watchdog = watchdog();
    let ground = ground();
    let ends = parallel! { for _ in 0..PARTIES => part(&ground, false) }.expect("no process fails");
    assert!(ends.iter().all(|(_, passed)| !passed), "{ends:?}");
    assert!(!ground.gate.is_broken());
    let again = parallel! { for _ in 0..PARTIES => cross(&ground) }.expect("no process fails");
    assert!(again.iter().all(Option::is_some));
}

#[process]
fn abort_and_reset(ground: &Ground) -> (bool, bool) {
    let index = ground.gate.wait().expect("all come").index();
    let passed = if index == 2 {
        ground.gate.abort();
        false
    } else {
        ground.gate.wait().is_ok()
    };
    // One of them resets the first barrier between two crossings of the second.
    if ground.second.wait().expect("all come").is_leader() {
        ground.gate.reset();
    }
    ground.second.wait().expect("all come");
    (passed, ground.gate.wait().is_ok())
}

/// `_TestBarrier.test_abort_and_reset`
#[test]
fn a_broken_barrier_is_whole_after_a_reset() {
    let _watchdog = watchdog();
    let ground = ground();
    let ends = parallel! { for _ in 0..PARTIES => abort_and_reset(&ground) };
    assert_eq!(ends.expect("no process fails"), [(false, true); PARTIES]);
}

#[process]
fn come_late_or_in_time(ground: &Ground, late: bool) -> bool {
    if late {
        // Until somebody's time was up.
        assert!(eventually(|| ground.gate.is_broken()));
    }
    ground.gate.wait_timeout(Duration::from_millis(100)).is_ok()
}

/// `_TestBarrier.test_timeout`
#[test]
fn one_late_party_breaks_it_for_all() {
    let _watchdog = watchdog();
    let ground = ground();
    let ends = parallel! { for n in 0..PARTIES => come_late_or_in_time(&ground, n == 0) };
    assert_eq!(ends.expect("no process fails"), [false; PARTIES]);
}

/// `_TestBarrier.test_single_thread`
#[test]
fn one_party_alone_never_waits() {
    let _watchdog = watchdog();
    let barrier = Barrier::new(1);
    for _ in 0..2 {
        let passed = barrier.wait().expect("nobody else is needed");
        assert!(passed.is_leader() && passed.index() == 0);
    }
}

#[process]
fn wait_for_ever(ground: &Ground) -> Option<i32> {
    ground.gate.wait().err().and_then(|broken| broken.dead)
}

#[test]
fn a_party_that_dies_inside_breaks_it() {
    let _watchdog = watchdog();
    let ground = ground();
    let victim = wait_for_ever::spawn(&ground).expect("a start");
    assert!(eventually(|| ground.gate.waiting() == 1));
    let other = wait_for_ever::spawn(&ground).expect("a start");
    assert!(eventually(|| ground.gate.waiting() == 2));
    victim.kill().expect("kills");
    assert_eq!(other.join().expect("it is told"), Some(victim.pid()));
    assert!(ground.gate.is_broken());
}
