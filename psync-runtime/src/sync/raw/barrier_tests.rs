//! Tests of the barrier's rounds.

use super::*;
use crate::sys::clock::Deadline;

fn never() -> Blocking {
    Deadline::NEVER.into()
}

fn early(barrier: &RawBarrier) -> Turn<'_> {
    match barrier.arrive(false, &never()) {
        Ok(Arrival::Early(turn)) => turn,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slow_party_learns_how_its_own_round_ended() {
    let barrier = RawBarrier::new(2);
    let broken = early(&barrier);
    barrier.reset();
    let crossed = early(&barrier);
    for round in 0..200 {
        assert!(matches!(barrier.arrive(false, &never()), Ok(Arrival::Crossed(1))));
        early(&barrier);
        assert_eq!(barrier.outcome(&crossed), Ok(0), "after {round} rounds");
        assert_eq!(barrier.outcome(&broken), Err(0));
    }
    for _ in 1..MEMORY {
        barrier.reset();
        early(&barrier);
        assert_eq!(barrier.outcome(&crossed), Ok(0));
        assert_eq!(barrier.outcome(&broken), Err(0));
    }
}

#[test]
fn the_last_party_may_be_stopped_and_panic() {
    let barrier = RawBarrier::new(2);
    let first = early(&barrier);
    let Ok(Arrival::Last(last)) = barrier.arrive(true, &never()) else {
        panic!("the second of two is the last");
    };
    assert_eq!(barrier.waiting(), 2);
    barrier.give_up(&last);
    assert_eq!(barrier.finish(&last), Err(0));
    assert_eq!(barrier.wait(&first, &never()), Err(0));
    assert!(barrier.is_broken());
    barrier.reset();
    assert!(!barrier.is_broken());
}

#[test]
fn whoever_dies_with_the_lock_breaks_it() {
    let barrier = RawBarrier::new(2);
    let turn = early(&barrier);
    std::thread::scope(|scope| {
        scope.spawn(|| barrier.arrivals.lock.lock(&Deadline::NEVER.into()));
    });
    assert_eq!(barrier.wait(&turn, &never()), Err(me().pid));
}
