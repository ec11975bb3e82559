//! `scope`: processes that borrow, and have all ended when the scope has.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{is_alive, watchdog};
use psync::{prelude::*, scope};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
};

#[shared]
struct Burrow {
    here: Event,
    open: Event,
    visits: Value<u32>,
    #[init([1, 2, 3, 4])]
    stores: [u32; 4],
}

fn burrow() -> Shared<Burrow> {
    Shared::new(Burrow::default()).expect("shared memory")
}

#[process]
fn visit(burrow: &Burrow, times: u32) -> u32 {
    burrow.visits.update(|n| n + times)
}

#[process]
fn sum(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}

#[process]
fn double(numbers: &mut [u32]) {
    for n in numbers {
        *n *= 2;
    }
}

#[process]
fn wait_to_leave(burrow: &Burrow) {
    burrow.here.set();
    burrow.open.wait();
    burrow.visits.update(|n| n + 1);
}

#[process]
fn open_later(burrow: &Burrow) {
    burrow.here.wait();
    burrow.open.set();
}

#[test]
fn processes_borrow_what_outlives_the_scope() {
    let _watchdog = watchdog();
    let burrow = burrow();
    let part = &burrow.stores[1..3];
    let (visits, stored, all) = scope(|s| {
        let visit = visit::spawn_in(s, &burrow, 5).expect("a start");
        let stored = sum::spawn_in(s, part).expect("a start");
        let all = sum::spawn_in(s, &burrow.stores).expect("a start");
        (visit.join(), stored.join(), all.join())
    });
    assert_eq!((visits.expect("ends"), stored.expect("ends"), all.expect("ends")), (5, 5, 10));
    assert_eq!(burrow.visits.get(), 5);
}

#[test]
fn parts_of_a_slice_are_changed_in_place() {
    let _watchdog = watchdog();
    let mut numbers = Shared::<[u32]>::new_with(1_000, |n| u32::try_from(n).expect("small"))
        .expect("shared memory");
    let all = Shared::get_mut(&mut numbers).expect("the only handle");
    scope(|s| {
        for part in all.chunks_mut(300) {
            double::spawn_in(s, part).expect("a start");
        }
    });
    assert!(numbers.iter().zip(0..).all(|(&found, n)| found == 2 * n));
}

#[test]
fn all_have_ended_when_the_scope_has() {
    let _watchdog = watchdog();
    let burrow = burrow();
    let pids = scope(|s| {
        let waits = wait_to_leave::spawn_in(s, &burrow).expect("a start");
        let opens = open_later::spawn_in(s, &burrow).expect("a start");
        // Their handles are dropped here.
        [waits.pid(), opens.pid()]
    });
    assert_eq!(burrow.visits.get(), 1, "the scope has not waited");
    assert!(pids.iter().all(|&pid| !is_alive(pid)));
}

#[test]
fn a_scope_that_unwinds_waits_too() {
    let _watchdog = watchdog();
    let burrow = burrow();
    let pid = AtomicU32::new(0);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        scope(|s| {
            let process = wait_to_leave::spawn_in(s, &burrow).expect("a start");
            pid.store(process.pid().cast_unsigned(), Ordering::Relaxed);
            open_later::spawn_in(s, &burrow).expect("a start");
            burrow.open.wait();
            panic!("out of here");
        })
    }));
    let payload = unwound.expect_err("it panicked");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of here"));
    assert_eq!(burrow.visits.get(), 1, "the scope has not waited");
    assert!(!is_alive(pid.load(Ordering::Relaxed).cast_signed()));
}

#[test]
fn a_failed_process_does_not_end_the_scope() {
    let _watchdog = watchdog();
    let burrow = burrow();
    let killed = scope(|s| {
        let waits = wait_to_leave::spawn_in(s, &burrow).expect("a start");
        burrow.here.wait();
        waits.kill().expect("kills");
        visit::spawn_in(s, &burrow, 3).expect("a start");
        waits.join()
    });
    assert!(matches!(killed, Err(ProcessError::Signaled { signal: libc::SIGKILL, .. })));
    assert_eq!(burrow.visits.get(), 3);
}

#[test]
fn what_does_not_lie_in_shared_memory_cannot_be_lent() {
    let _watchdog = watchdog();
    let local = [1, 2, 3];
    let refused = scope(|s| sum::spawn_in(s, &local).map(|process| process.pid()));
    match refused {
        Err(SpawnError::Encode { reason }) => {
            assert!(reason.contains("does not lie in shared memory"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let empty: [u32; 0] = [];
    let _nothing = scope(|s| sum::spawn_in(s, &empty).map(|process| process.pid()));
}

/// Without a scope the owner goes along, so the borrow may end before the process does.
#[test]
fn a_start_without_scope_takes_the_owner_along() {
    let _watchdog = watchdog();
    let burrow = burrow();
    let process = wait_to_leave::spawn(&burrow).expect("a start");
    let seen = burrow.clone();
    drop(burrow);
    seen.here.wait();
    seen.open.set();
    process.join().expect("it leaves");
    assert_eq!(seen.visits.get(), 1);
}
