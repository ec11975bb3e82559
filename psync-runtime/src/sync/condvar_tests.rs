//! Tests of `Condvar` between threads.

use super::*;
use crate::{
    primitive::{AtomicU32, Ordering},
    sync::{Lock, Mutex, PoisonCause, ReentrantMutex, testing::watchdog},
};
use core::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::yield_now();
    }
}

#[test]
fn threads_of_one_process_take_turns() {
    let _watchdog = watchdog("threads_of_one_process_take_turns");
    let (turn, changed) = (Mutex::new(0_u32), Condvar::new());
    std::thread::scope(|scope| {
        for me in 0..3 {
            let (turn, changed) = (&turn, &changed);
            scope.spawn(move || {
                for round in 0..500 {
                    let wanted = 3 * round + me;
                    let guard = turn.lock().expect("sound");
                    let mut turn =
                        changed.wait_while(guard, |turn| *turn != wanted).expect("sound");
                    *turn += 1;
                    changed.notify_all();
                }
            });
        }
    });
    assert_eq!(turn.into_inner(), 1_500);
}

#[test]
fn a_notification_is_for_those_who_waited_before_it() {
    let _watchdog = watchdog("a_notification_is_for_those_who_waited_before_it");
    let (ball, thrown) = (Mutex::new(0), Condvar::new());
    std::thread::scope(|scope| {
        for me in 0..2 {
            let (ball, thrown) = (&ball, &thrown);
            scope.spawn(move || {
                let mut guard = ball.lock().expect("sound");
                for _ in 0..2_000 {
                    while *guard % 2 != me {
                        guard = thrown.wait(guard).expect("sound");
                    }
                    *guard += 1;
                    // The thrower waits at once, and must not catch its own ball.
                    thrown.notify_one();
                }
            });
        }
    });
    assert_eq!(ball.into_inner(), 4_000);
}

#[test]
fn exactly_as_many_go_on_as_are_notified() {
    let _watchdog = watchdog("exactly_as_many_go_on_as_are_notified");
    let (mutex, condvar, awake) = (Mutex::new(()), Condvar::new(), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let guard = condvar.wait(mutex.lock().expect("sound")).expect("sound");
                awake.fetch_add(1, Ordering::Relaxed);
                drop(guard);
            });
        }
        until(|| condvar.0.waiting() == 6);
        assert_eq!(condvar.notify(2), 2);
        until(|| awake.load(Ordering::Relaxed) == 2);
        assert_eq!(condvar.0.waiting(), 4);
        condvar.notify_one();
        until(|| awake.load(Ordering::Relaxed) == 3);
        assert_eq!(condvar.0.waiting(), 3);
        assert_eq!(condvar.notify(9), 3);
    });
    assert_eq!((condvar.notify(3), format!("{condvar:?}")), (0, "Condvar(0 waiting)".to_owned()));
}

#[test]
fn time_runs_out() {
    let (mutex, condvar) = (Mutex::new(4), Condvar::new());
    let guard = mutex.lock().expect("free");
    let (guard, result) = condvar.wait_timeout(guard, Duration::ZERO).expect("sound");
    assert!(result.timed_out());
    let (guard, result) = condvar.wait_timeout(guard, Duration::from_millis(5)).expect("sound");
    assert!(result.timed_out() && *guard == 4);
    let soon = Duration::from_millis(5);
    let (guard, result) = condvar.wait_timeout_while(guard, soon, |n| *n == 4).expect("sound");
    assert!(result.timed_out());
    let never = Duration::MAX;
    let (guard, result) = condvar.wait_timeout_while(guard, never, |n| *n == 5).expect("sound");
    assert!(!result.timed_out());
    drop(guard);
    assert_eq!(condvar.0.waiting(), 0);
}

#[test]
fn all_levels_are_released_and_restored() {
    let _watchdog = watchdog("all_levels_are_released_and_restored");
    let (mutex, condvar) = (ReentrantMutex::new(Cell::new(false)), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until(|| condvar.0.waiting() == 1);
            let outer = mutex.lock().expect("free while they wait");
            outer.set(true);
            condvar.notify_one();
        });
        let outer = mutex.lock().expect("free");
        let inner = mutex.lock().expect("ours");
        let inner = condvar.wait_while(inner, |ready| !ready.get()).expect("sound");
        assert_eq!(inner.depth(), 2);
        drop(inner);
        assert_eq!((outer.depth(), mutex.is_locked()), (1, true));
    });
    assert!(!mutex.is_locked());
}

#[test]
fn a_plain_lock_will_do() {
    let (lock, condvar) = (Lock::new(), Condvar::new());
    let mut asked = 0;
    let guard = condvar.wait_timeout_while(lock.lock().expect("free"), Duration::MAX, || {
        asked += 1;
        asked < 1
    });
    assert!(guard.is_ok() && lock.is_locked());
}

#[test]
fn poison_ends_a_wait_and_passes_the_notification_on() {
    let _watchdog = watchdog("poison_ends_a_wait_and_passes_the_notification_on");
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    std::thread::scope(|scope| {
        let wait = || condvar.wait(mutex.lock()?).map(drop);
        let waiters = [scope.spawn(wait), scope.spawn(wait)];
        until(|| condvar.0.waiting() == 2);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _guard = mutex.lock().expect("free");
            panic!("with the mutex");
        }));
        condvar.notify_one();
        for waiter in waiters {
            let error = waiter.join().expect("no panic").expect_err("poisoned");
            assert!(matches!(error, LockError::Poisoned { cause: PoisonCause::Panicked, .. }));
        }
    });
    assert!(!mutex.is_locked());
}
