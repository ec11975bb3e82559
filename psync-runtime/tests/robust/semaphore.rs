//! `Semaphore`: no kill loses a permit or makes one.

use crate::process::{pause, share, start, times, until};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use psync_runtime::sync::Semaphore;

pub(crate) fn permits_come_back() {
    for semaphore in [share(Semaphore::new(3)), share(Semaphore::bounded(3))] {
        for _ in times(100) {
            let spawn = || {
                start(|| {
                    loop {
                        let first = semaphore.acquire().expect("room");
                        let second = semaphore.try_acquire();
                        drop(first);
                        drop(second);
                    }
                })
            };
            let mut children = [spawn(), spawn(), spawn()];
            pause(1_000);
            children[0].kill();
            children[1].kill();
            drop(children);
            assert_eq!(semaphore.available(), 3);
        }
    }
}

pub(crate) fn sleepers_get_permits() {
    let shared = share((Semaphore::new(2), AtomicU64::new(0)));
    let (semaphore, steps) = shared;
    let mut holder = start(|| {
        core::mem::forget([semaphore.acquire(), semaphore.acquire()]);
        steps.fetch_add(1, Relaxed);
        until(|| false);
    });
    until(|| steps.load(Relaxed) == 1);
    let sleep = || {
        start(|| {
            steps.fetch_add(1, Relaxed);
            let _permit = semaphore.acquire().expect("room");
        })
    };
    let mut sleepers = [sleep(), sleep(), sleep()];
    until(|| steps.load(Relaxed) == 4);
    pause(3_000);
    holder.kill();
    for sleeper in &mut sleepers {
        assert!(sleeper.join());
    }
    assert_eq!(semaphore.available(), 2);
}

pub(crate) fn many_holders_spill() {
    let shared = share((Semaphore::new(100), AtomicU32::new(0)));
    let (semaphore, holding) = shared;
    for _ in 0..10 {
        let children: Vec<_> = (0..25)
            .map(|_| {
                start(|| {
                    core::mem::forget([semaphore.acquire(), semaphore.acquire()]);
                    drop(semaphore.acquire());
                    holding.fetch_add(1, Relaxed);
                    until(|| false);
                })
            })
            .collect();
        until(|| holding.load(Relaxed) == 25);
        assert_eq!(semaphore.available(), 50);
        drop(children);
        assert_eq!(semaphore.available(), 100);
        holding.store(0, Relaxed);
    }
}

pub(crate) fn forgotten_permits_do_not() {
    let shared = share((Semaphore::bounded(4), AtomicU64::new(0)));
    let (semaphore, steps) = shared;
    let mut child = start(|| {
        semaphore.acquire().expect("room").forget();
        core::mem::forget(semaphore.acquire());
        steps.store(1, Relaxed);
        until(|| false);
    });
    until(|| steps.load(Relaxed) == 1);
    assert_eq!(semaphore.available(), 2);
    child.kill();
    assert_eq!(semaphore.available(), 3);
    semaphore.release(1).expect("below its start");
    assert!(semaphore.release(1).is_err());
    assert_eq!(semaphore.available(), 4);
}
