//! Locks and mutexes, between processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{PoisonCause, prelude::*};
use std::time::{Duration, Instant};

#[shared]
struct Pen {
    lock: Lock,
    #[init(Mutex::new(0))]
    count: Mutex<u64>,
    held: Event,
    leave: Event,
    #[guarded_by(lock)]
    acorns: u64,
}

fn pen() -> Shared<Pen> {
    Shared::new(Pen::default()).expect("shared memory")
}

#[process]
fn hold(pen: &Pen) {
    let _lock = pen.lock.lock().expect("free");
    let _count = pen.count.lock().expect("free");
    pen.held.set();
    pen.leave.wait();
}

#[process]
fn count_up(pen: &Pen, times: u64) {
    for _ in 0..times {
        *pen.count.lock().expect("sound") += 1;
        *pen.lock_lock().expect("sound").acorns += 1;
    }
}

#[process]
fn panic_holding(pen: &Pen) {
    let mut count = pen.count.lock().expect("free");
    *count = 13;
    panic!("with the lock in hand");
}

/// `_TestLock.test_lock`
#[test]
fn a_lock_is_taken_once_and_given_back() {
    let _watchdog = watchdog();
    let pen = pen();
    assert!(!pen.lock.is_locked());
    let guard = pen.lock.lock().expect("free");
    assert!(pen.lock.is_locked());
    let again = pen.lock.try_lock();
    assert!(matches!(again, Err(LockError::WouldBlock | LockError::Deadlock(_))), "{again:?}");
    drop(again);
    drop(guard);
    assert!(!pen.lock.is_locked());
    // To release a lock that is not held is impossible: only a guard can, and it exists only while it is.
    let process = hold::spawn(&pen).expect("a start");
    pen.held.wait();
    assert!(pen.lock.is_locked() && pen.count.is_locked());
    assert_eq!(pen.lock.try_lock().err(), Some(LockError::WouldBlock));
    let start = Instant::now();
    let waited = pen.count.lock_timeout(Duration::from_millis(30));
    assert_eq!(waited.err(), Some(LockError::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(30));
    pen.leave.set();
    drop(pen.lock.lock().expect("released"));
    process.join().expect("ends");
}

/// `_TestLock.test_lock_context`
#[test]
fn the_end_of_a_guard_releases_the_lock() {
    let _watchdog = watchdog();
    let pen = pen();
    {
        let _guard = pen.lock.lock().expect("free");
        assert!(pen.lock.is_locked());
    }
    assert!(!pen.lock.is_locked());
    let early = (|| {
        let _guard = pen.lock.lock().ok()?;
        None::<()>
    })();
    assert!(early.is_none() && !pen.lock.is_locked(), "also when it is left early");
}

/// `_TestLock.test_repr_lock`
#[test]
fn the_debug_form_names_the_owner() {
    let _watchdog = watchdog();
    let pen = pen();
    assert_eq!(format!("{:?}", pen.lock), "Lock(free)");
    let own = psync::current().pid();
    // With the fields that it guards, or without: it is held once.
    let fields = pen.lock_lock().expect("free");
    let guarded = format!("{fields:?}");
    assert!(guarded.starts_with("PenLock { lock: LockGuard(held by thread "), "{guarded}");
    assert!(guarded.ends_with(&format!(" of process {own}), .. }}")), "{guarded}");
    assert!(matches!(pen.lock_lock().unwrap_err(), LockError::Deadlock(_)));
    drop(fields);
    let guard = pen.lock.lock().expect("free");
    let said = format!("{:?}", pen.lock);
    assert!(said.starts_with("Lock(held by thread "), "{said}");
    assert!(said.ends_with(&format!(" of process {own})")), "{said}");
    drop(guard);
    let process = hold::spawn(&pen).expect("a start");
    pen.held.wait();
    let said = format!("{:?}", pen.lock);
    assert!(said.ends_with(&format!(" of process {})", process.pid())), "{said}");
    pen.leave.set();
    process.join().expect("ends");
    assert_eq!(format!("{:?}", pen.lock), "Lock(free)");
}

#[test]
fn nothing_is_lost_when_processes_take_turns() {
    let _watchdog = watchdog();
    let pen = pen();
    parallel! { for _ in 0..4 => count_up(&pen, 5_000) }.expect("nothing fails");
    assert_eq!(*pen.count.lock().expect("sound"), 20_000);
    assert_eq!(*pen.lock_lock().expect("sound").acorns, 20_000);
}

#[test]
fn whoever_dies_or_panics_with_a_lock_poisons_it() {
    let _watchdog = watchdog();
    let pen = pen();
    let process = hold::spawn(&pen).expect("a start");
    let died = process.pid();
    pen.held.wait();
    process.kill().expect("kills");
    let poisoned = |pid, cause| Some(LockError::Poisoned { pid, cause });
    assert_eq!(pen.count.lock().err(), poisoned(died, PoisonCause::Died));
    assert_eq!(pen.lock.lock().err(), poisoned(died, PoisonCause::Died));
    *pen.count.lock_or_repair(|count| *count = 1).expect("repairs") += 1;
    pen.lock.clear_poison();
    drop(pen.lock.lock().expect("sound again"));
    assert_eq!(*pen.count.lock().expect("sound again"), 2);
    let process =
        panic_holding::spawn_with(Options::new().stderr(Stdio::null()), &pen).expect("a start");
    let panicked = process.pid();
    process.wait();
    assert_eq!(pen.count.lock().err(), poisoned(panicked, PoisonCause::Panicked));
    assert_eq!(*pen.count.lock_or_replace(5).expect("replaces"), 5);
    drop(pen.count.lock().expect("sound again"));
}

#[test]
fn a_death_is_known_and_pardoned_before_anybody_meets_it() {
    let _watchdog = watchdog();
    let pen = pen();
    let killed = || {
        pen.held.clear();
        let process = hold::spawn(&pen).expect("a start");
        pen.held.wait();
        process.kill().expect("kills");
        process.wait();
        process.pid()
    };
    let died = killed();
    assert!(pen.count.is_poisoned() && pen.lock.is_poisoned());
    assert!(!pen.count.is_locked() && !pen.lock.is_locked());
    let said = format!("{:?}", pen.lock);
    assert_eq!(said, format!("Lock(free, poisoned by the death of process {died})"));
    pen.count.clear_poison();
    pen.lock.clear_poison();
    assert!(!pen.count.is_poisoned() && !pen.lock.is_poisoned());
    drop(pen.count.lock().expect("pardoned"));
    drop(pen.lock_lock().expect("pardoned"));
    // Of whoever dies later, nothing is pardoned.
    let pid = killed();
    let poisoned = LockError::Poisoned { pid, cause: PoisonCause::Died };
    assert_eq!(pen.count.try_lock().err(), Some(poisoned.clone()));
    assert_eq!(pen.lock.try_lock().err(), Some(poisoned));
}

#[test]
fn taking_a_lock_twice_is_reported_at_once() {
    let _watchdog = watchdog();
    let pen = pen();
    let guard = pen.count.lock().expect("free");
    match pen.count.lock() {
        Err(LockError::Deadlock(report)) => assert_eq!(report.pid(), psync::current().pid()),
        other => panic!("{other:?}"),
    }
    drop(guard);
    drop(pen.count.lock().expect("free"));
}
