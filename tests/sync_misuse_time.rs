//! No time at all and all the time that there is, for everything that takes a time; guards that outlive their thread; and what poison says.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{AcquireError, PoisonCause, prelude::*};
use std::time::{Duration, Instant};

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
    #[init(Semaphore::new(1))]
    one: Semaphore,
    changed: Condvar,
    bell: Event,
    #[init(Barrier::new(2))]
    pair: Barrier,
    here: Event,
    leave: Event,
}

fn things() -> Shared<Things> {
    Shared::new(Things::default()).expect("shared memory")
}

/// Holds everything until told to leave.
#[process(daemon)]
fn holds_all(things: &Things, array: Array<u32>) {
    let _held = (
        things.mutex.lock().expect("free"),
        things.lock.lock().expect("free"),
        things.again.lock().expect("free"),
        things.table.write().expect("free"),
        things.value.lock().expect("free"),
        things.lock_pen().expect("free"),
        things.one.acquire().expect("free"),
        array.lock().expect("free"),
    );
    things.here.set();
    things.leave.wait();
}

/// Everything that waits, with this timeout; which of them was in vain.
fn wait_for_all(things: &Things, array: &Array<u32>, time: Duration) -> [bool; 12] {
    let in_vain = |error: Option<LockError>| match error {
        None => false,
        Some(LockError::TimedOut) => true,
        Some(error) => panic!("{error}"),
    };
    // No other process uses this one.
    let own = Mutex::new(0);
    let own = own.lock().expect("free");
    let wait = things.changed.wait_timeout(own, time).expect("sound");
    let own = things.changed.wait_timeout_while(wait.0, time, |n| *n == 0).expect("sound");
    let permit = things.one.acquire_timeout(time);
    assert!(permit.as_ref().err().is_none_or(|error| *error == AcquireError::TimedOut));
    [
        in_vain(things.mutex.lock_timeout(time).err()),
        in_vain(things.lock.lock_timeout(time).err()),
        in_vain(things.again.lock_timeout(time).err()),
        in_vain(things.table.read_timeout(time).err()),
        in_vain(things.table.write_timeout(time).err()),
        in_vain(things.value.lock_timeout(time).err()),
        in_vain(things.lock_pen_timeout(time).err()),
        in_vain(array.lock_timeout(time).err()),
        permit.is_err(),
        !things.bell.wait_timeout(time),
        wait.1.timed_out(),
        own.1.timed_out(),
    ]
}

#[test]
fn with_no_time_everything_is_tried_once() {
    let _watchdog = watchdog();
    let (things, array) = (things(), Array::zeroed(2).expect("shared memory"));
    let holder = holds_all::spawn(&things, array.clone()).expect("a start");
    things.here.wait();
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(10)] {
        let begin = Instant::now();
        assert_eq!(wait_for_all(&things, &array, time), [true; 12]);
        assert!(begin.elapsed() >= 12 * time);
    }
    assert!(things.pair.wait_timeout(Duration::ZERO).is_err() && things.pair.is_broken());
    things.leave.set();
    holder.join().expect("ends");
    things.bell.set();
    // What is free is had, without any time.
    let all = wait_for_all(&things, &array, Duration::ZERO);
    assert_eq!((&all[..10], &all[10..]), (&[false; 10][..], &[true; 2][..]));
    things.pair.reset();
    assert!(Barrier::new(1).wait_timeout(Duration::ZERO).is_ok());
}

/// Notifies until the other one says that it is done, since that waits twice.
#[process(daemon)]
fn gives_way(things: &Things, array: Array<u32>) -> bool {
    {
        let _held = array.lock().expect("free");
        holds_briefly(things);
    }
    things.bell.set();
    let crossed = things.pair.wait_timeout(Duration::MAX).is_ok();
    while !things.leave.wait_timeout(Duration::from_millis(1)) {
        things.changed.notify_all();
    }
    crossed
}

fn holds_briefly(things: &Things) {
    let _held = (things.mutex.lock(), things.lock.lock(), things.again.lock(), things.value.lock());
    let _more = (things.table.write(), things.lock_pen(), things.one.acquire());
    things.here.set();
    things.bell.wait_timeout(Duration::from_millis(30));
}

#[test]
fn with_all_the_time_that_there_is_they_wait_as_long_as_it_takes() {
    let _watchdog = watchdog();
    for time in [Duration::MAX, Duration::from_secs(u64::MAX / 2), Duration::from_nanos(u64::MAX)] {
        let (things, array) = (things(), Array::zeroed(2).expect("shared memory"));
        let other = gives_way::spawn(&things, array.clone()).expect("a start");
        things.here.wait();
        let held = things.mutex.lock_timeout(time).map(|_| ());
        assert_eq!(held, Ok(()));
        assert!(things.pair.wait_timeout(time).is_ok());
        let (own, free) = (Mutex::new(0), Mutex::new(1));
        let guard = own.lock().expect("free");
        assert!(!things.changed.wait_timeout(guard, time).expect("sound").1.timed_out());
        let guard = free.lock().expect("free");
        let mut asked = 0;
        let wait = things.changed.wait_timeout_while(guard, time, |_| {
            asked += 1;
            asked < 3
        });
        assert!(!wait.expect("sound").1.timed_out());
        assert!(things.lock.lock_timeout(time).is_ok() && things.again.lock_timeout(time).is_ok());
        assert!(
            things.table.read_timeout(time).is_ok() && things.table.write_timeout(time).is_ok()
        );
        assert!(things.value.lock_timeout(time).is_ok() && things.lock_pen_timeout(time).is_ok());
        assert!(things.one.acquire_timeout(time).is_ok() && array.lock_timeout(time).is_ok());
        assert!(things.bell.wait_timeout(time));
        things.leave.set();
        assert!(other.join().expect("ends"));
    }
    assert!(Barrier::with_timeout(1, Duration::MAX).wait().is_ok());
}

/// Ends a thread of this process, which goes on, with guards that nobody drops.
#[process(daemon)]
fn leaks_in_a_thread(things: &Things, array: Array<u32>) {
    let leak = || {
        core::mem::forget((things.mutex.lock(), things.lock.lock(), things.lock_pen()));
        core::mem::forget((things.again.lock(), things.again.lock(), things.table.write()));
        let mut value = things.value.lock().expect("free");
        *value = 9;
        core::mem::forget((value, array.lock()));
    };
    std::thread::scope(|scope| scope.spawn(leak).join().expect("no panic"));
    things.here.set();
    things.leave.wait();
}

#[test]
fn a_guard_that_is_leaked_is_lost_with_its_thread() {
    let _watchdog = watchdog();
    let (things, array) = (things(), Array::zeroed(2).expect("shared memory"));
    let process = leaks_in_a_thread::spawn(&things, array.clone()).expect("a start");
    things.here.wait();
    let died = Some(LockError::Poisoned { pid: process.pid(), cause: PoisonCause::Died });
    assert_eq!(things.mutex.lock().err(), died);
    assert_eq!(things.lock.lock().err(), died);
    assert_eq!(things.lock_pen().err(), died);
    assert_eq!(things.again.lock().err(), died);
    assert_eq!(things.table.read().err(), died);
    assert_eq!(things.table.try_write().err(), died);
    assert_eq!(array.lock().err(), died);
    assert_eq!((things.value.get(), things.value.update(|value| value + 1)), (1, 2));
    things.leave.set();
    process.join().expect("ends");
}

#[process]
fn panics_with(things: &Things, which: u32) {
    let _mutex = (which == 0).then(|| things.mutex.lock().expect("free"));
    let _lock = (which == 1).then(|| things.lock.lock().expect("free"));
    let _again = (which == 2).then(|| [(); 2].map(|()| things.again.lock().expect("free")));
    let _table = (which == 3).then(|| things.table.write().expect("free"));
    let _pen = (which == 4).then(|| things.lock_pen().expect("free"));
    // These do not poison anything.
    let _reads = (which == 5).then(|| things.table.read().expect("free"));
    let _value = (which == 5).then(|| things.value.lock().expect("free"));
    let _permit = (which == 5).then(|| things.one.acquire().expect("free"));
    panic!("on purpose");
}

#[test]
fn a_panic_poisons_what_may_be_half_changed_and_says_whose_it_was() {
    let _watchdog = watchdog();
    let things = things();
    let errors = || {
        [
            things.mutex.lock().err(),
            things.lock.lock().err(),
            things.again.lock().err(),
            things.table.read().err(),
            things.lock_pen().err(),
        ]
    };
    for which in 0..=5 {
        let quiet = Options::new().stderr(Stdio::null());
        let process = panics_with::spawn_with(quiet, &things, which).expect("a start");
        let mut expected = [const { None }; 5];
        if let Some(expected) = expected.get_mut(which as usize) {
            let cause = PoisonCause::Panicked;
            *expected = Some(LockError::Poisoned { pid: process.pid(), cause });
        }
        assert_eq!(process.wait().code(), Some(101));
        assert_eq!(errors(), expected);
        // All of it is there again once it is declared sound.
        things.mutex.clear_poison();
        things.lock.clear_poison();
        things.again.clear_poison();
        things.table.clear_poison();
        things.pen.clear_poison();
        assert_eq!(errors(), [const { None }; 5]);
        assert!(things.table.write().is_ok() && things.value.lock().is_ok());
        assert_eq!(things.one.available(), 1);
    }
}
