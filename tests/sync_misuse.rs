//! Primitives that are used wrongly, or in ways that nobody thinks of: refused clearly, and left as they were.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{AcquireError, Permit, prelude::*};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

#[shared]
struct Things {
    #[init(Mutex::new(1))]
    mutex: Mutex<u32>,
    lock: Lock,
    #[init(ReentrantMutex::new(1))]
    again: ReentrantMutex<u32>,
    #[init(RwLock::new(1))]
    table: RwLock<u32>,
    #[init(Value::new(1))]
    value: Value<u32>,
    pen: Lock,
    #[guarded_by(pen)]
    ink: u32,
    #[init(Semaphore::new(0))]
    none: Semaphore,
    #[init(Semaphore::bounded(2))]
    two: Semaphore,
}

fn things() -> Shared<Things> {
    Shared::new(Things::default()).expect("shared memory")
}

/// What a panic says.
fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(work)) else { panic!("it does not panic") };
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a message")
}

#[test]
fn a_barrier_for_nobody_is_refused_and_one_for_too_many_too() {
    for parties in [0, 1 << 22, usize::MAX] {
        let messages = [
            panic_of(|| Barrier::new(parties)),
            panic_of(|| Barrier::with_action(parties, || ())),
            panic_of(|| Barrier::with_timeout(parties, Duration::MAX)),
        ];
        let expected = match parties {
            0 => "a barrier needs at least one party",
            _ => "a barrier has fewer than 4194304 parties",
        };
        assert_eq!(messages, [expected; 3]);
    }
    assert_eq!(Barrier::new((1 << 22) - 1).parties(), (1 << 22) - 1);
}

#[process]
fn releases(things: &Things, permits: u32) -> bool {
    things.none.release(permits).is_ok()
}

#[test]
fn a_semaphore_without_permits_has_none_until_some_are_made() {
    let _watchdog = watchdog();
    let things = things();
    assert_eq!(things.none.available(), 0);
    assert_eq!(things.none.try_acquire().err(), Some(AcquireError::WouldBlock));
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let begin = Instant::now();
        assert_eq!(things.none.acquire_timeout(timeout).err(), Some(AcquireError::TimedOut));
        assert!(begin.elapsed() >= timeout);
    }
    assert!(things.none.release(0).is_ok());
    assert_eq!(things.none.available(), 0);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| things.none.acquire_timeout(Duration::MAX).map(Permit::forget));
        assert!(releases::run(&things, 1).expect("ends"));
        assert_eq!(waiter.join().expect("no panic"), Ok(()));
    });
    assert_eq!(things.none.available(), 0);
    let bounded = Semaphore::bounded(0);
    assert!(bounded.release(1).is_err() && bounded.try_acquire().is_err());
    assert!(bounded.release(0).is_ok());
}

#[test]
fn a_release_above_the_bound_is_refused_and_changes_nothing() {
    let things = things();
    for held in 0..=2_u32 {
        let permits: Vec<_> = (0..held).map(|_| things.two.acquire().expect("free")).collect();
        for too_many in [held + 1, 1_000, u32::MAX] {
            let refused = things.two.release(too_many).expect_err("above the bound");
            assert!(refused.to_string().contains('2'), "{refused}");
            assert_eq!(things.two.available(), 2 - held);
        }
        drop(permits);
        assert_eq!(things.two.available(), 2);
    }
}

#[test]
fn permits_are_counted_up_to_the_last_number() {
    let things = things();
    assert!(things.none.release(u32::MAX).is_ok());
    assert_eq!(things.none.available(), u32::MAX);
    for more in [1, 7, u32::MAX] {
        assert!(things.none.release(more).is_err());
        assert_eq!(things.none.available(), u32::MAX);
    }
    let permit = things.none.acquire().expect("some");
    assert_eq!(things.none.available(), u32::MAX - 1);
    drop(permit);
    assert_eq!(things.none.available(), u32::MAX);
    things.none.acquire().expect("some").forget();
    assert!(things.none.release(1).is_ok() && things.none.release(1).is_err());
    assert_eq!(Semaphore::bounded(u32::MAX).available(), u32::MAX);
}

/// Whether an attempt was refused because the thread would wait for itself, and that at once.
fn waits_for_itself<G>(attempt: impl FnOnce() -> Result<G, LockError>) -> bool {
    let begin = Instant::now();
    let told = match attempt().err() {
        Some(LockError::Deadlock(report)) => report.waits().len() == 1,
        _ => false,
    };
    // A circle over others is found after a while only.
    told && begin.elapsed() < Duration::from_secs(5)
}

#[test]
fn a_thread_that_would_wait_for_itself_is_told_at_once() {
    let _watchdog = watchdog();
    let (things, array) = (things(), Array::<u32>::zeroed(3).expect("shared memory"));
    let (soon, forever) = (Duration::from_hours(1), Duration::MAX);
    {
        let _held = things.mutex.lock().expect("free");
        assert!(waits_for_itself(|| things.mutex.lock()));
        assert!(waits_for_itself(|| things.mutex.lock_timeout(soon)));
        assert!(waits_for_itself(|| things.mutex.lock_timeout(forever)));
        assert!(waits_for_itself(|| things.mutex.lock_or_repair(|_| unreachable!("it is sound"))));
        assert!(waits_for_itself(|| things.mutex.lock_or_replace(0)));
        assert_eq!(things.mutex.try_lock().err(), Some(LockError::WouldBlock));
    }
    {
        let _held = things.lock.lock().expect("free");
        assert!(waits_for_itself(|| things.lock.lock()));
        assert!(waits_for_itself(|| things.lock.lock_timeout(soon)));
        assert!(waits_for_itself(|| things.lock.lock_or_repair(|| unreachable!("it is sound"))));
        assert_eq!(things.lock.try_lock().err(), Some(LockError::WouldBlock));
    }
    {
        let _held = things.lock_pen().expect("free");
        assert!(waits_for_itself(|| things.lock_pen()));
        assert!(waits_for_itself(|| things.lock_pen_timeout(soon)));
        assert!(waits_for_itself(|| things.lock_pen_or_repair(|_| unreachable!("it is sound"))));
        assert_eq!(things.try_lock_pen().err(), Some(LockError::WouldBlock));
    }
    {
        let _held = things.value.lock().expect("free");
        assert!(waits_for_itself(|| things.value.lock()));
        assert!(waits_for_itself(|| things.value.lock_timeout(forever)));
        assert_eq!(things.value.try_lock().err(), Some(LockError::WouldBlock));
        for message in
            [panic_of(|| things.value.set(2)), panic_of(|| things.value.update(|value| value + 1))]
        {
            assert!(
                message.contains("deadlock") && message.contains("held up by itself"),
                "{message}"
            );
        }
        assert_eq!(things.value.get(), 1, "to read it is no wait");
    }
    assert!(
        panic_of(|| things.value.update(|_| things.value.update(|value| value + 1)))
            .contains("held up by itself")
    );
    {
        let _held = array.lock().expect("free");
        assert!(waits_for_itself(|| array.lock()));
        assert!(waits_for_itself(|| array.lock_timeout(soon)));
        assert!(waits_for_itself(|| array.to_vec()));
        assert_eq!(array.try_lock().err(), Some(LockError::WouldBlock));
    }
    // Nothing of all that has hurt.
    assert!(things.mutex.lock().is_ok() && things.lock.lock().is_ok() && things.lock_pen().is_ok());
    assert_eq!((things.value.update(|value| value + 1), array.lock().is_ok()), (2, true));
}

#[test]
fn reading_and_writing_by_the_same_thread_in_all_combinations() {
    let _watchdog = watchdog();
    let things = things();
    let (soon, forever) = (Duration::from_hours(1), Duration::MAX);
    {
        let reading = things.table.read().expect("free");
        let all = [things.table.read(), things.table.try_read(), things.table.read_timeout(soon)];
        assert!(all.iter().all(Result::is_ok));
        assert!(waits_for_itself(|| things.table.write()));
        assert!(waits_for_itself(|| things.table.write_timeout(soon)));
        assert!(waits_for_itself(|| things.table.write_timeout(forever)));
        assert!(waits_for_itself(|| things.table.write_or_repair(|_| unreachable!("it is sound"))));
        assert_eq!(things.table.try_write().err(), Some(LockError::WouldBlock));
        drop((reading, all));
    }
    {
        let _writing = things.table.write().expect("free");
        assert!(waits_for_itself(|| things.table.read()));
        assert!(waits_for_itself(|| things.table.read_timeout(soon)));
        assert!(waits_for_itself(|| things.table.write()));
        assert!(waits_for_itself(|| things.table.write_timeout(forever)));
        assert!(waits_for_itself(|| things.table.write_or_replace(0)));
        assert_eq!(things.table.try_read().err(), Some(LockError::WouldBlock));
        assert_eq!(things.table.try_write().err(), Some(LockError::WouldBlock));
    }
    assert_eq!(things.table.read().map(|data| *data), Ok(1));
}

#[process]
fn finds_all_free(things: &Things) -> bool {
    let free = [
        things.mutex.try_lock().is_ok(),
        things.lock.try_lock().is_ok(),
        things.again.try_lock().is_ok(),
        things.table.try_write().is_ok(),
        things.value.try_lock().is_ok(),
        things.try_lock_pen().is_ok(),
        things.two.available() == 2,
    ];
    free.iter().all(|free| *free)
}

/// In whatever order guards of different locks are dropped, in the end all are free. The robust list, which they are in, has no order to keep.
#[test]
fn guards_may_be_dropped_in_any_order() {
    let _watchdog = watchdog();
    let things = things();
    let mut order = [0_usize, 1, 2, 3, 4, 5, 6, 7];
    for round in 0..200 {
        // Each time another order.
        order.rotate_left(round % 7 + 1);
        order.swap(round % 8, (round / 8) % 8);
        let mut mutex = Some(things.mutex.lock().expect("free"));
        let mut lock = Some(things.lock.lock().expect("free"));
        let mut outer = Some(things.again.lock().expect("free"));
        let mut inner = Some(things.again.lock().expect("ours"));
        let mut table = Some(things.table.write().expect("free"));
        let mut value = Some(things.value.lock().expect("free"));
        let mut pen = Some(things.lock_pen().expect("free"));
        let mut permit = Some(things.two.acquire().expect("free"));
        for which in order {
            match which {
                0 => drop(mutex.take()),
                1 => drop(lock.take()),
                2 => drop(outer.take()),
                3 => drop(inner.take()),
                4 => drop(table.take()),
                5 => drop(value.take()),
                6 => drop(pen.take()),
                _ => drop(permit.take()),
            }
        }
        if round % 20 == 0 {
            assert!(finds_all_free::run(&things).expect("ends"), "{order:?}");
        }
        assert!(finds_all_free(&things), "{order:?}");
    }
}
