//! `Semaphore`: no kill loses a permit or makes one.

use crate::process::{pause, progress, random, share, start, times, until};
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

/// More processes than have their place in the word; more permits than it can tell, of one process or at all.
pub(crate) fn permits_of_a_crowd_come_back() {
    for semaphore in [
        share(Semaphore::new(100)),
        share(Semaphore::bounded(100)),
        share(Semaphore::new(40_000)),
        share(Semaphore::bounded(40_000)),
    ] {
        let all = semaphore.available();
        let rounds = share(AtomicU64::new(0));
        for _ in times(10) {
            let spawn = || {
                start(|| {
                    loop {
                        // Nobody waits with permits in its hands.
                        drop(semaphore.acquire().expect("room"));
                        let held: [_; 20] = core::array::from_fn(|_| semaphore.try_acquire());
                        drop(held);
                        rounds.fetch_add(1, Relaxed);
                    }
                })
            };
            let mut children: [_; 14] = core::array::from_fn(|_| spawn());
            progress(rounds);
            for child in &mut children[..4] {
                pause(500);
                child.kill();
            }
            progress(rounds);
            drop(children);
            assert_eq!(semaphore.available(), all);
        }
    }
}

/// What a child has begun and ended: one of each kind is unknown after its death.
struct Ledger {
    semaphore: Semaphore,
    released: [AtomicU64; 2],
    forgotten: [AtomicU64; 2],
}

pub(crate) fn a_death_loses_no_release() {
    let ledger = share(Ledger {
        semaphore: Semaphore::new(0),
        released: [const { AtomicU64::new(0) }; 2],
        forgotten: [const { AtomicU64::new(0) }; 2],
    });
    let add = |count: &AtomicU64| count.fetch_add(1, Relaxed);
    let mut before = 0;
    for _ in times(300) {
        let mut child = start(|| {
            loop {
                for _ in 0..random(4) {
                    add(&ledger.released[0]);
                    ledger.semaphore.release(1).expect("no bound");
                    add(&ledger.released[1]);
                }
                while let Ok(permit) = ledger.semaphore.try_acquire() {
                    if ledger.semaphore.available() == 0 {
                        break;
                    }
                    add(&ledger.forgotten[0]);
                    permit.forget();
                    add(&ledger.forgotten[1]);
                }
            }
        });
        until(|| ledger.forgotten[1].load(Relaxed) > 5);
        pause(200);
        child.kill();
        let take = |count: &AtomicU64| count.swap(0, Relaxed);
        let ([most, least], [begun, ended]) =
            (ledger.released.each_ref().map(take), ledger.forgotten.each_ref().map(take));
        let now = u64::from(ledger.semaphore.available());
        let possible = (before + least - begun)..=(before + most - ended);
        assert!(possible.contains(&now), "{now} is not in {possible:?}");
        before = now;
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
