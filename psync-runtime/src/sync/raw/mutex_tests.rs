//! Tests of the robust lock word.

use super::*;
use core::time::Duration;

#[test]
fn the_owner_is_named_and_refused_a_second_time() {
    let mutex = RawMutex::new();
    assert_eq!(mutex.lock(Deadline::NEVER), Ok(Acquired::Clean));
    assert_eq!(mutex.owner(), Some((nix::unistd::getpid().as_raw(), thread::tid())));
    assert_eq!(mutex.try_lock(), None);
    assert_eq!(mutex.lock(Deadline::NEVER), Err(Refusal::Deadlock));
    mutex.unlock();
    assert_eq!((mutex.owner(), mutex.is_locked()), (None, false));
}

#[test]
fn a_thread_that_ends_with_the_lock_leaves_it_to_the_next() {
    let mutex = RawMutex::new();
    std::thread::scope(|scope| {
        scope.spawn(|| mutex.lock(Deadline::NEVER));
    });
    let inherited = mutex.lock(Deadline::NEVER);
    assert_eq!(inherited, Ok(Acquired::Inherited(me())));
    assert_eq!(mutex.lock(Deadline::NEVER), Err(Refusal::Deadlock));
    mutex.abandon();
    assert!(mutex.is_abandoned());
    assert_eq!(mutex.try_lock(), Some(Acquired::Inherited(me())));
    mutex.adopt();
    mutex.unlock();
    assert_eq!(mutex.try_lock(), Some(Acquired::Clean));
    mutex.unlock();
}

#[test]
fn an_owner_that_the_kernel_does_not_mark_is_found_by_asking() {
    // What a killed thread leaves where the C library's list has another layout: a thread id that nobody has.
    let mutex = RawMutex::new();
    mutex.word.store(TID, Ordering::Relaxed);
    assert_eq!(mutex.lock(Deadline::NEVER), Ok(Acquired::Clean));
    mutex.unlock();
}

#[test]
fn waiting_ends_at_the_deadline() {
    let mutex = RawMutex::new();
    let _ = mutex.lock(Deadline::NEVER);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let soon = Deadline::after(Duration::from_millis(20));
            assert_eq!(mutex.lock(soon), Err(Refusal::TimedOut));
        });
    });
    mutex.unlock();
}
