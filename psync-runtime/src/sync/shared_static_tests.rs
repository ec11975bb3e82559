//! Tests of `SharedStatic` between threads.

use super::*;
use crate::{
    primitive::AtomicU32,
    sync::{Event, Mutex, Value, testing::watchdog},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn message(panic: Box<dyn core::any::Any + Send>) -> String {
    panic.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text)
}

#[test]
fn it_is_made_once_when_it_is_used() {
    static MADE: AtomicU32 = AtomicU32::new(0);
    static TALLY: SharedStatic<Mutex<[u64; 4]>> = SharedStatic::new(fits(), "TALLY", || {
        std::thread::yield_now();
        MADE.fetch_add(1, Ordering::Relaxed);
        Mutex::new([1; 4])
    });
    let _watchdog = watchdog("it_is_made_once_when_it_is_used");
    assert_eq!(MADE.load(Ordering::Relaxed), 0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| TALLY.lock().expect("sound")[1] += 1);
        }
    });
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
    assert_eq!(*TALLY.lock().expect("sound"), [1, 9, 1, 1]);
    assert!(world::offset_in_statics(ptr::from_ref(&*TALLY).addr(), 32).is_some());
}

#[test]
fn statics_are_told_apart() {
    static A: SharedStatic<Value<u32>> = SharedStatic::new(fits(), "A", || Value::new(1));
    static B: SharedStatic<Value<u32>> = SharedStatic::new(fits(), "B", || Value::new(2));
    static UNIT: SharedStatic<()> = SharedStatic::new(fits(), "UNIT", || ());
    A.update(|n| n + 10);
    assert_eq!((A.get(), B.get(), *UNIT), (11, 2, ()));
    assert_eq!(format!("{:?}", *UNIT), format!("{UNIT:?}"));
}

#[test]
fn a_panic_leaves_it_to_the_next() {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    static LATE: SharedStatic<Event> = SharedStatic::new(fits(), "LATE", || {
        assert!(TRIES.fetch_add(1, Ordering::Relaxed) > 0, "not yet");
        Event::new()
    });
    assert!(catch_unwind(|| LATE.set()).is_err());
    LATE.set();
    assert!(LATE.is_set());
    assert_eq!(TRIES.load(Ordering::Relaxed), 2);
}

#[test]
fn one_may_need_another_but_not_itself() {
    static BASE: SharedStatic<u64> = SharedStatic::new(fits(), "BASE", || 20);
    static NEXT: SharedStatic<u64> = SharedStatic::new(fits(), "NEXT", || *BASE + 1);
    static ITSELF: SharedStatic<u64> = SharedStatic::new(fits(), "ITSELF", || *ITSELF + 1);
    static THERE: SharedStatic<u64> = SharedStatic::new(fits(), "THERE", || *BACK + 1);
    static BACK: SharedStatic<u64> = SharedStatic::new(fits(), "BACK", || *THERE + 1);
    let _watchdog = watchdog("one_may_need_another_but_not_itself");
    assert_eq!(*NEXT, 21);
    for (static_, name) in [(&ITSELF, "ITSELF"), (&THERE, "THERE")] {
        let panic = message(catch_unwind(AssertUnwindSafe(|| **static_)).expect_err("a circle"));
        let expected = format!("the shared static `{name}` cannot be made: ");
        assert!(panic.starts_with(&expected), "{panic}");
    }
}

#[test]
fn what_is_no_static_is_refused() {
    let local: SharedStatic<u64> = SharedStatic::new(fits(), "local", || 1);
    let panic = message(catch_unwind(AssertUnwindSafe(|| *local)).expect_err("not a static"));
    assert!(panic.contains("`local` is not part of the main program"), "{panic}");
}

#[test]
fn a_thread_that_ends_while_it_makes_it_leaves_it_to_the_next() {
    static LEFT: SharedStatic<u64> = SharedStatic::new(fits(), "LEFT", || 3);
    let _watchdog = watchdog("a_thread_that_ends_while_it_makes_it_leaves_it_to_the_next");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            core::mem::forget(LEFT.place().once.begin(&Deadline::NEVER.into()));
        });
    });
    assert_eq!(*LEFT, 3);
}

#[test]
fn too_much_is_refused() {
    const LARGE: usize = STATICS_ROOM / 16 * 15;
    static LARGE_ONE: SharedStatic<[u8; LARGE]> =
        SharedStatic::new(fits(), "LARGE_ONE", || [0; LARGE]);
    static TOO_MUCH: SharedStatic<[u8; LARGE]> =
        SharedStatic::new(fits(), "TOO_MUCH", || [0; LARGE]);
    static SMALL: SharedStatic<u8> = SharedStatic::new(fits(), "SMALL", || 1);
    LARGE_ONE.place();
    let panic = message(catch_unwind(|| TOO_MUCH[1]).expect_err("too much"));
    let expected =
        "there is no room for the shared static `TOO_MUCH`: all of a program have 16 MiB";
    assert!(panic.starts_with(expected), "{panic}");
    assert_eq!(*SMALL, 1, "there is room for others");
}
