//! What other guards of a hold refer to stays as it is while one of them waits; and what is left of guards that were leaked.
#![allow(missing_docs, reason = "a test")]

mod common;

use common::{eventually, watchdog};
use psync::prelude::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// While a thread waits with an inner guard, its outer one may refer to the data: nobody repairs it meanwhile.
#[test]
fn data_that_a_waiting_thread_may_refer_to_is_not_repaired() {
    let _watchdog = watchdog();
    let (mutex, changed) = (ReentrantMutex::new(1_u64), Condvar::new());
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let outer = mutex.lock().expect("free");
            let seen: &u64 = &outer;
            let inner = mutex.lock().expect("ours");
            let error = changed.wait(inner).expect_err("poisoned meanwhile");
            (*seen, error)
        });
        assert!(eventually(|| format!("{changed:?}").contains("1 waiting")));
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _guard = mutex.lock().expect("free while the other waits");
            panic!("with the mutex");
        }));
        let refused = mutex.lock_or_replace(9).expect_err("somebody may refer to it");
        assert!(matches!(refused, LockError::Poisoned { .. }));
        changed.notify_all();
        let (seen, error) = sleeper.join().expect("no panic");
        assert!(matches!(error, LockError::Poisoned { .. }));
        assert_eq!(seen, 1);
    });
    assert_eq!(*mutex.lock_or_replace(9).expect("nobody refers to it any more"), 9);
}

#[shared]
struct Pen {
    lock: Lock,
    #[guarded_by(lock)]
    acorns: u64,
    #[guarded_by(lock)]
    nuts: u64,
    changed: Condvar,
}

#[test]
fn fields_that_were_exchanged_between_guards_do_not_wait() {
    let (one, other) = (Pen::default(), Pen::default());
    let mut first = one.lock_lock().expect("free");
    let mut second = other.lock_lock().expect("free");
    std::mem::swap(&mut first.acorns, &mut second.acorns);
    let waited =
        catch_unwind(AssertUnwindSafe(|| one.changed.wait_timeout(first, Duration::ZERO).is_ok()));
    assert!(waited.is_err(), "it is refused");
    *second.acorns += 1;
    drop(second);
    // It was dropped by a panic.
    let third = one.lock_lock_or_repair(|_| ()).expect("no deadlock");
    assert_eq!((*third.acorns, *third.nuts), (1, 0), "the exchanged field is the first pen's");
    let (third, result) = one.changed.wait_timeout(third, Duration::ZERO).expect("sound");
    assert!(result.timed_out());
    drop(third);
}

/// Too large for an arena, so that it has a segment of its own.
#[shared]
struct Big {
    #[init(Mutex::new(0))]
    mutex: Mutex<u64>,
    #[init([0; 100_000])]
    rest: [u8; 100_000],
}

#[test]
fn memory_that_a_leaked_guard_lies_in_stays() {
    let _watchdog = watchdog();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let leaked = Shared::new(Big::default()).expect("shared memory");
            core::mem::forget(leaked.mutex.lock());
            drop(leaked);
            let next = Shared::new(Mutex::new(1)).expect("shared memory");
            *next.lock().expect("free") += 1;
            assert_eq!(*next.lock().expect("free"), 2);
        });
    });
}
