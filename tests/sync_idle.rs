//! Whoever waits does not use up a processor meanwhile, whatever it waits for.
#![allow(missing_docs, reason = "tests")]
#![allow(unsafe_code, reason = "asks for the processor time of a thread")]

mod common;

use common::watchdog;
use psync::prelude::*;
use std::time::Duration;

#[shared]
struct Hall {
    mutex: Mutex<u32>,
    nested: ReentrantMutex<u32>,
    lock: RwLock<u32>,
    #[init(Semaphore::new(0))]
    permits: Semaphore,
    event: Event,
    changed: Condvar,
    nothing: Mutex<u32>,
    #[init(Barrier::new(2))]
    barrier: Barrier,
}

const LONG: Duration = Duration::from_millis(400);
/// What a tenth of that time would be.
const MUCH: Duration = Duration::from_millis(40);

/// Whether the time was up, which it is to be, and how much processor time this thread has used for that.
fn used(wait: impl FnOnce() -> bool) -> (bool, Duration) {
    let before = processor_time();
    let timed_out = wait();
    (timed_out, processor_time().saturating_sub(before))
}

fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to a live variable.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a second"))
}

type Uses = Vec<(&'static str, bool, Duration)>;

/// Waits for everything in turn, in vain.
fn wait_in_vain(hall: &Hall) -> Uses {
    let waits: [(&str, &dyn Fn() -> bool); 8] = [
        ("Mutex", &|| hall.mutex.lock_timeout(LONG).is_err()),
        ("ReentrantMutex", &|| hall.nested.lock_timeout(LONG).is_err()),
        ("RwLock, read", &|| hall.lock.read_timeout(LONG).is_err()),
        ("RwLock, write", &|| hall.lock.write_timeout(LONG).is_err()),
        ("Semaphore", &|| hall.permits.acquire_timeout(LONG).is_err()),
        ("Event", &|| !hall.event.wait_timeout(LONG)),
        ("Condvar", &|| {
            let guard = hall.nothing.lock().expect("sound");
            let (_guard, wait) = hall.changed.wait_timeout(guard, LONG).expect("sound");
            wait.timed_out()
        }),
        ("Barrier", &|| hall.barrier.wait_timeout(LONG).is_err()),
    ];
    let used = waits.map(|(name, wait)| {
        let (timed_out, time) = used(wait);
        (name, timed_out, time)
    });
    used.to_vec()
}

#[process]
fn wait_elsewhere(hall: &Hall) -> Vec<(String, bool, Duration)> {
    wait_in_vain(hall).into_iter().map(|(name, out, time)| (name.to_owned(), out, time)).collect()
}

#[test]
fn waiting_takes_no_processor_time() {
    let _watchdog = watchdog();
    let hall = Shared::new(Hall::default()).expect("shared memory");
    let _mutex = hall.mutex.lock().expect("sound");
    let _nested = hall.nested.lock().expect("sound");
    let _lock = hall.lock.write().expect("sound");
    for (name, timed_out, time) in wait_elsewhere::run(&hall).expect("it ends well") {
        assert!(timed_out, "{name}");
        assert!(time < MUCH, "{name} used {time:?} of {LONG:?}");
    }
}
