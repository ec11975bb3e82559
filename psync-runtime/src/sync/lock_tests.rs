//! Tests of the lock between threads.

use super::*;
use crate::{sync::testing::watchdog, sys::thread};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::id,
};

fn pid() -> i32 {
    id().cast_signed()
}

#[test]
fn it_excludes_and_names_its_holder() {
    let _watchdog = watchdog("it_excludes_and_names_its_holder");
    let lock = Lock::new();
    assert_eq!(format!("{lock:?}"), "Lock(free)");
    let guard = lock.lock().expect("free");
    assert!(lock.is_locked());
    let held = format!("Lock(held by thread {} of process {})", thread::tid(), pid());
    assert_eq!(format!("{lock:?}"), held);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(lock.try_lock().expect_err("held"), LockError::WouldBlock);
            let error = lock.lock_timeout(Duration::from_millis(10)).expect_err("held");
            assert_eq!(error, LockError::TimedOut);
            let error = lock.lock_timeout(Duration::ZERO).expect_err("held");
            assert_eq!(error, LockError::TimedOut);
        });
    });
    drop(guard);
    assert!(!lock.is_locked());
}

#[test]
fn a_thread_that_waits_for_itself_is_told() {
    let lock = Lock::new();
    let _guard = lock.lock().expect("free");
    let line = line!() + 1;
    let LockError::Deadlock(report) = lock.lock().expect_err("held") else { panic!("no other") };
    let [wait] = report.waits() else { panic!("nobody else") };
    assert_eq!((wait.pid(), wait.thread(), wait.what()), (pid(), thread::tid(), "Lock"));
    assert!(wait.location().contains(&format!("lock_tests.rs:{line}:")), "{report}");
    let error = lock.lock_timeout(Duration::from_secs(1)).expect_err("held");
    assert!(matches!(error, LockError::Deadlock(_)));
    assert_eq!(lock.try_lock().expect_err("held"), LockError::WouldBlock);
}

#[test]
fn a_panic_poisons_until_repaired() {
    let lock = Lock::new();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().expect("free");
        panic!("with the lock");
    }));
    let poisoned = LockError::Poisoned { pid: pid(), cause: PoisonCause::Panicked };
    assert_eq!(lock.lock().expect_err("poisoned"), poisoned);
    assert_eq!(lock.try_lock().expect_err("poisoned"), poisoned);
    let (guard, suspect) = lock.lock_any().expect("free");
    assert!(suspect);
    drop(guard);
    let _ = catch_unwind(AssertUnwindSafe(|| lock.lock_or_repair(|| panic!("no repair"))));
    assert!(lock.is_poisoned() && !lock.is_locked());
    let mut repaired = false;
    drop(lock.lock_or_repair(|| repaired = true).expect("free"));
    assert!(repaired);
    assert!(lock.lock().is_ok());
}

#[test]
fn a_thread_that_ends_with_the_lock_poisons_it() {
    let _watchdog = watchdog("a_thread_that_ends_with_the_lock_poisons_it");
    let lock = Lock::new();
    std::thread::scope(|scope| {
        scope.spawn(|| core::mem::forget(lock.lock()));
    });
    let died = LockError::Poisoned { pid: pid(), cause: PoisonCause::Died };
    assert_eq!(lock.lock().expect_err("poisoned"), died);
    lock.clear_poison();
    assert!(lock.try_lock().is_ok());
}

#[test]
fn increments_of_many_threads_add_up() {
    let _watchdog = watchdog("increments_of_many_threads_add_up");
    let (lock, sum) = (Lock::new(), crate::primitive::AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let _guard = lock.lock().expect("nobody dies");
                    let relaxed = crate::primitive::Ordering::Relaxed;
                    sum.store(sum.load(relaxed) + 1, relaxed);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), 80_000);
}
