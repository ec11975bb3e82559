//! Tests of the barrier with threads.

use super::*;
use crate::{
    primitive::{AtomicU32, Ordering::SeqCst},
    sync::testing::watchdog,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

const PARTIES: usize = 5;

/// What each of the parties gets from `party`.
fn parties<R: Send>(party: impl Fn() -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PARTIES).map(|_| scope.spawn(&party)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a party")).collect()
    })
}

#[test]
fn many_rounds_keep_step() {
    let _watchdog = watchdog("many_rounds_keep_step");
    let (barrier, before, after) = (Barrier::new(PARTIES), AtomicU32::new(0), AtomicU32::new(0));
    parties(|| {
        for round in 0..200 {
            before.fetch_add(1, SeqCst);
            assert_eq!(after.load(SeqCst), 5 * round);
            barrier.wait().expect("nobody breaks it");
            after.fetch_add(1, SeqCst);
            assert_eq!(before.load(SeqCst), 5 * (round + 1));
            barrier.wait().expect("nobody breaks it");
        }
    });
    assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
}

#[test]
fn each_index_occurs_once() {
    let _watchdog = watchdog("each_index_occurs_once");
    let barrier = Barrier::new(PARTIES);
    let mut indices = parties(|| barrier.wait().expect("nobody breaks it").index());
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2, 3, 4]);
}

#[test]
fn the_action_runs_once_before_anybody_goes_on() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let _watchdog = watchdog("the_action_runs_once_before_anybody_goes_on");
    let barrier = Barrier::with_action(PARTIES, || {
        RUNS.fetch_add(1, SeqCst);
    });
    parties(|| {
        for round in 1..50 {
            barrier.wait().expect("nobody breaks it");
            assert!(RUNS.load(SeqCst) >= round);
        }
    });
    assert_eq!(RUNS.load(SeqCst), 49);
}

#[test]
fn a_panic_in_the_action_breaks_it_for_the_others() {
    let _watchdog = watchdog("a_panic_in_the_action_breaks_it_for_the_others");
    let barrier = Barrier::with_action(PARTIES, || panic!("no way"));
    let results = parties(|| catch_unwind(AssertUnwindSafe(|| barrier.wait())));
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(results.into_iter().flatten().all(|crossed| crossed.is_err()));
}

#[test]
fn an_abort_lasts_until_the_reset() {
    let _watchdog = watchdog("an_abort_lasts_until_the_reset");
    let barrier = Barrier::new(PARTIES);
    let results = parties(|| {
        if barrier.wait().expect("all are here").index() == 2 {
            barrier.abort();
            return Err(BrokenBarrier { dead: None });
        }
        barrier.wait()
    });
    assert!(results.iter().all(Result::is_err));
    assert!(barrier.is_broken());
    barrier.reset();
    assert!(parties(|| barrier.wait()).iter().all(Result::is_ok));
}

#[test]
fn a_reset_sends_those_who_wait_away() {
    let _watchdog = watchdog("a_reset_sends_those_who_wait_away");
    let barrier = Barrier::new(PARTIES);
    let results = parties(|| {
        if barrier.wait().expect("all are here").index() == 2 {
            while barrier.waiting() < PARTIES - 1 {
                std::thread::yield_now();
            }
            barrier.reset();
        } else {
            assert!(barrier.wait().is_err());
        }
        barrier.wait()
    });
    assert!(results.iter().all(Result::is_ok));
}

#[test]
fn one_timeout_breaks_it_for_all() {
    let _watchdog = watchdog("one_timeout_breaks_it_for_all");
    let (barrier, latecomer) = (Barrier::new(PARTIES), AtomicU32::new(0));
    let results = parties(|| {
        if latecomer.fetch_add(1, SeqCst) == 0 {
            while !barrier.is_broken() {
                std::thread::yield_now();
            }
        }
        barrier.wait_timeout(Duration::from_millis(100))
    });
    assert!(results.iter().all(Result::is_err));
    let barrier = Barrier::with_timeout(2, Duration::from_millis(5));
    assert_eq!(barrier.wait(), Err(BrokenBarrier { dead: None }));
}

#[test]
fn more_users_than_parties_cross_in_groups() {
    static ROUNDS: AtomicU32 = AtomicU32::new(0);
    let _watchdog = watchdog("more_users_than_parties_cross_in_groups");
    let barrier = Barrier::with_action(2, || {
        ROUNDS.fetch_add(1, SeqCst);
    });
    let crossings = parties(|| {
        let mut crossings = 0;
        while barrier.wait().is_ok() {
            crossings += 1;
            if ROUNDS.load(SeqCst) >= 500 {
                barrier.abort();
            }
        }
        crossings
    });
    // The abort may come between an action and the end of its round.
    let crossings = crossings.iter().sum::<u32>();
    assert!([crossings, crossings + 2].contains(&(2 * ROUNDS.load(SeqCst))));
}

#[test]
fn one_party_never_waits() {
    let barrier = Barrier::new(1);
    assert!(barrier.wait().expect("alone").is_leader());
    assert_eq!(barrier.wait().expect("alone").index(), 0);
    assert_eq!(format!("{barrier:?}"), "Barrier(0 of 1 waiting)");
}

#[test]
fn whoever_waits_is_seen_to_wait() {
    let _watchdog = watchdog("whoever_waits_is_seen_to_wait");
    crate::shm::world::world().expect("a world");
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| barrier.wait());
        while !crate::sync::dump_waits().contains("at Barrier") {
            std::thread::yield_now();
        }
        barrier.wait().expect("the other one is there");
        waiter.join().expect("no panic").expect("all were there");
    });
}
