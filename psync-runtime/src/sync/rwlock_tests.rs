//! Tests of `RwLock` between threads.

use super::*;
use crate::{
    primitive::{AtomicBool, AtomicU32, Ordering},
    sync::{PoisonCause, testing::watchdog},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn readers_see_whole_data_and_writers_lose_nothing() {
    let _watchdog = watchdog("readers_see_whole_data_and_writers_lose_nothing");
    let lock = RwLock::new([0_u64; 4]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let mut data = lock.write().expect("sound");
                    for word in &mut *data {
                        *word += 1;
                    }
                }
            });
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let data = lock.read().expect("sound");
                    assert!(data.iter().all(|word| *word == data[0]), "{data:?}");
                }
            });
        }
    });
    assert_eq!(lock.into_inner(), [10_000; 4]);
}

#[test]
fn writers_do_not_starve() {
    let _watchdog = watchdog("writers_do_not_starve");
    let (lock, stop) = (RwLock::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let first = lock.read().expect("sound");
                    // Never without a reader.
                    std::thread::yield_now();
                    drop(first);
                }
            });
        }
        for _ in 0..100 {
            *lock.write().expect("sound") += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(lock.into_inner(), 100);
}

#[test]
fn what_one_cannot_have_is_refused() {
    let lock = RwLock::new(1);
    let soon = Duration::from_millis(5);
    {
        let _reading = lock.read().expect("free");
        assert!(lock.try_read().is_ok());
        assert_eq!(lock.try_write().expect_err("read"), LockError::WouldBlock);
        assert!(matches!(lock.write(), Err(LockError::Deadlock(_))));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(lock.write_timeout(soon).expect_err("read"), LockError::TimedOut);
                assert_eq!(
                    lock.write_timeout(Duration::ZERO).expect_err("read"),
                    LockError::TimedOut
                );
                assert!(lock.try_read().is_ok());
                assert!(lock.read_timeout(Duration::MAX).is_ok());
            });
        });
    }
    {
        let _writing = lock.write().expect("free");
        assert!(lock.is_write_locked());
        assert_eq!(lock.try_read().expect_err("written"), LockError::WouldBlock);
        assert_eq!(lock.try_write().expect_err("written"), LockError::WouldBlock);
        assert!(matches!(lock.write(), Err(LockError::Deadlock(_))));
        assert!(matches!(lock.read(), Err(LockError::Deadlock(_))));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(lock.read_timeout(soon).expect_err("written"), LockError::TimedOut);
                assert_eq!(lock.write_timeout(soon).expect_err("written"), LockError::TimedOut);
            });
        });
    }
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_writer_that_panics_poisons_and_a_reader_does_not() {
    let lock = RwLock::new(1);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _reading = lock.read().expect("free");
        panic!("while reading");
    }));
    assert!(lock.read().is_ok());
    let _ = catch_unwind(AssertUnwindSafe(|| {
        *lock.write().expect("free") = 2;
        let _writing = lock.write().expect("free");
        panic!("while writing");
    }));
    let pid = std::process::id().cast_signed();
    let poisoned = LockError::Poisoned { pid, cause: PoisonCause::Panicked };
    assert_eq!(lock.read().expect_err("poisoned"), poisoned);
    assert_eq!(lock.try_read().expect_err("poisoned"), poisoned);
    assert_eq!(lock.try_write().expect_err("poisoned"), poisoned);
    assert!(format!("{lock:?}").contains("poisoned"));
    assert_eq!(*lock.write_or_replace(7).expect("free"), 7);
    assert_eq!(*lock.write_or_replace(8).expect("free"), 7);
    assert_eq!(*lock.read().expect("sound"), 7);
}

#[test]
fn it_shows_who_is_inside() {
    let lock = RwLock::new(1);
    assert_eq!(format!("{lock:?}"), "RwLock(free)");
    let one = lock.read().expect("free");
    assert_eq!(format!("{lock:?} {one:?} {one}"), "RwLock(1 reader) 1 1");
    let two = lock.read().expect("free");
    assert_eq!(format!("{lock:?}"), "RwLock(2 readers)");
    drop((one, two));
    let writing = lock.write().expect("free");
    assert!(format!("{lock:?}").contains(&format!("process {}", std::process::id())));
    drop(writing);
}

#[test]
fn readers_are_inside_together() {
    let _watchdog = watchdog("readers_are_inside_together");
    let (lock, inside) = (RwLock::new(()), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let _reading = lock.read().expect("free");
                inside.fetch_add(1, Ordering::Relaxed);
                while inside.load(Ordering::Relaxed) < 3 {
                    std::thread::yield_now();
                }
            });
        }
    });
}
