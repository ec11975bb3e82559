//! Semaphores and events, between processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{AcquireError, prelude::*};
use std::time::{Duration, Instant};

const CROWD: usize = 16;

#[shared]
struct Yard {
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    #[init(Semaphore::bounded(2))]
    bowls: Semaphore,
    #[init(Semaphore::new(0))]
    empty: Semaphore,
    #[init(Semaphore::new(1))]
    single: Semaphore,
    #[init(Semaphore::new(20 * 16))]
    many: Semaphore,
    #[init(Barrier::new(CROWD))]
    gate: Barrier,
    bell: Event,
    here: Event,
    inside: Value<i32>,
    most: Value<i32>,
}

fn yard() -> Shared<Yard> {
    Shared::new(Yard::default()).expect("shared memory")
}

#[process(acquire(yard.swings))]
fn swing(yard: &Yard) {
    let inside = yard.inside.update(|n| n + 1);
    yard.most.update(|most| most.max(inside));
    yard.inside.update(|n| n - 1);
}

#[process]
fn take_one_and_stay(yard: &Yard) {
    let _permit = yard.swings.acquire().expect("there is one");
    yard.here.set();
    common::sleep_for_ever();
}

#[process]
fn give(yard: &Yard, permits: u32) {
    yard.empty.release(permits).expect("no bound");
}

#[process]
fn ring_when_awaited(yard: &Yard) {
    // Not before the other one has had time to wait: either order is right, and the test is about the second.
    yard.here.wait();
    yard.bell.set();
}

/// `_TestSemaphore.test_semaphore`
#[test]
fn permits_are_counted_down_and_up_without_bound() {
    let _watchdog = watchdog();
    let yard = yard();
    let swings = &yard.swings;
    assert_eq!(swings.available(), 2);
    let first = swings.acquire().expect("two");
    assert_eq!(swings.available(), 1);
    let second = swings.acquire().expect("one");
    assert_eq!(swings.available(), 0);
    assert_eq!(swings.try_acquire().err(), Some(AcquireError::WouldBlock));
    drop(first);
    assert_eq!(swings.available(), 1);
    drop(second);
    assert_eq!(swings.available(), 2);
    for expected in [3, 4] {
        swings.release(1).expect("no bound");
        assert_eq!(swings.available(), expected);
    }
}

/// `_TestSemaphore.test_timeout`
#[test]
fn waiting_for_a_permit_ends_in_time() {
    let _watchdog = watchdog();
    let yard = yard();
    assert_eq!(yard.empty.try_acquire().err(), Some(AcquireError::WouldBlock));
    for timeout in [Duration::ZERO, Duration::from_millis(60)] {
        let start = Instant::now();
        assert_eq!(yard.empty.acquire_timeout(timeout).err(), Some(AcquireError::TimedOut));
        assert!(start.elapsed() >= timeout);
    }
    let gives = give::spawn(&yard, 3).expect("a start");
    for _ in 0..3 {
        yard.empty.acquire().expect("given by another process").forget();
    }
    gives.join().expect("ends");
    assert_eq!(yard.empty.available(), 0);
}

/// `_TestSemaphore.test_bounded_semaphore`
#[test]
fn a_bounded_semaphore_refuses_more_than_it_began_with() {
    let _watchdog = watchdog();
    let yard = yard();
    let bowls = &yard.bowls;
    let (first, second) = (bowls.acquire().expect("two"), bowls.acquire().expect("one"));
    assert_eq!(bowls.try_acquire().err(), Some(AcquireError::WouldBlock));
    drop((first, second));
    assert_eq!(bowls.available(), 2);
    let refused = bowls.release(1).expect_err("the bound is two");
    assert_eq!((refused.bound(), bowls.available()), (2, 2));
}

#[test]
fn no_more_processes_are_inside_than_there_are_permits() {
    let _watchdog = watchdog();
    let yard = yard();
    parallel! { for _ in 0..12 => swing(&yard) }.expect("nothing fails");
    assert!((1..=2).contains(&yard.most.get()), "{} at once", yard.most.get());
    assert_eq!((yard.inside.get(), yard.swings.available()), (0, 2));
}

#[process]
fn use_the_only_one(yard: &Yard, cpu: Option<usize>) -> u32 {
    cpu.inspect(|cpu| common::stay_on(*cpu));
    let visits = (0..500).filter(|_| {
        let _permit = yard.single.acquire().expect("it comes back");
        let alone = yard.inside.update(|n| n + 1) == 1;
        yard.inside.update(|n| n - 1);
        alone
    });
    u32::try_from(visits.count()).expect("at most 500")
}

#[test]
fn the_only_permit_goes_round_on_several_processors_and_on_one() {
    let _watchdog = watchdog();
    let yard = yard();
    for cpu in [None, Some(common::a_cpu())] {
        let visits = parallel! { for _ in 0..5 => use_the_only_one(&yard, cpu) };
        assert_eq!(visits.expect("nobody fails"), [500; 5]);
        assert_eq!(yard.single.available(), 1);
    }
}

/// More processes than a semaphore has room for in one word, more permits of one than it has room for, and more than that.
#[process]
fn take_many(yard: &Yard) -> bool {
    let permits: Vec<_> = (0..20).map(|_| yard.many.acquire().expect("enough")).collect();
    yard.gate.wait().expect("nobody dies");
    let before = yard.many.available() == 0;
    yard.gate.wait().expect("nobody dies");
    drop(permits);
    before
}

#[test]
fn a_crowd_takes_all_permits_and_gives_them_back() {
    let _watchdog = watchdog();
    let yard = yard();
    for _ in 0..3 {
        let taken = parallel! { for _ in 0..CROWD => take_many(&yard) };
        assert_eq!(taken.expect("nobody fails"), [true; CROWD]);
        assert_eq!(yard.many.available(), 20 * 16);
    }
}

#[test]
fn the_permit_of_a_dead_process_comes_back() {
    let _watchdog = watchdog();
    let yard = yard();
    let process = take_one_and_stay::spawn(&yard).expect("a start");
    yard.here.wait();
    let _mine = yard.swings.acquire().expect("the other one");
    assert_eq!(yard.swings.try_acquire().err(), Some(AcquireError::WouldBlock));
    process.kill().expect("kills");
    drop(yard.swings.acquire().expect("comes back"));
    process.wait();
}

/// `_TestEvent.test_event`
#[test]
fn an_event_is_awaited_set_and_cleared() {
    let _watchdog = watchdog();
    let yard = yard();
    let bell = &yard.bell;
    assert!(!bell.is_set());
    assert!(!bell.wait_timeout(Duration::ZERO));
    let start = Instant::now();
    assert!(!bell.wait_timeout(Duration::from_millis(60)));
    assert!(start.elapsed() >= Duration::from_millis(60));
    bell.set();
    assert!(bell.is_set() && bell.is_set());
    bell.wait();
    assert!(bell.wait_timeout(Duration::ZERO) && bell.wait_timeout(Duration::from_secs(9)));
    bell.clear();
    assert!(!bell.is_set());
    let rings = ring_when_awaited::spawn(&yard).expect("a start");
    yard.here.set();
    bell.wait();
    assert!(bell.is_set());
    rings.join().expect("ends");
}

/// `_TestEvent.test_repr`
#[test]
fn the_debug_form_of_an_event_says_whether_it_is_set() {
    let event = Event::new();
    let forms = [(); 3].map(|()| {
        let form = format!("{event:?}");
        if event.is_set() {
            event.clear();
        } else {
            event.set();
        }
        form
    });
    assert_eq!(forms, ["Event(unset)", "Event(set)", "Event(unset)"]);
}
