//! What is held before a program has its first shared memory stays held, and its holder the same. The only test here: it needs a program without any.
#![allow(missing_docs, reason = "a test")]

use psync::prelude::*;

#[test]
fn a_guard_from_before_the_first_shared_memory_is_still_its_threads() {
    let (mutex, lock, value) = (ReentrantMutex::new(1), RwLock::new(1), Value::new(1));
    let permits = Semaphore::bounded(2);
    let outer = mutex.lock().expect("free");
    let reading = lock.read().expect("free");
    let permit = permits.acquire().expect("free");
    let held = value.lock().expect("free");
    let shared = Shared::new(Event::new()).expect("shared memory");
    shared.set();
    let inner = mutex.lock().expect("this thread's");
    assert_eq!(inner.depth(), 2);
    assert!(matches!(lock.write(), Err(LockError::Deadlock(_))));
    assert!(matches!(value.lock(), Err(LockError::Deadlock(_))));
    assert!(lock.read().is_ok());
    drop((outer, inner, reading, permit, held));
    assert!(!mutex.is_locked());
    assert!(lock.try_write().is_ok());
    assert_eq!((permits.available(), value.update(|n| n + 1)), (2, 2));
}
