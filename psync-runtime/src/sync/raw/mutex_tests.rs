//! Tests of the robust lock word.

use super::*;
use core::time::Duration;
use nix::libc;

fn lock(mutex: &RawMutex) -> Result<Acquired, Refusal> {
    mutex.lock(&Deadline::NEVER.into())
}

#[test]
fn the_owner_is_named_and_refused_a_second_time() {
    let mutex = RawMutex::new();
    assert_eq!(lock(&mutex), Ok(Acquired::Clean));
    assert_eq!(mutex.owner(), Some((nix::unistd::getpid().as_raw(), thread::tid())));
    assert_eq!(mutex.try_lock(), None);
    assert_eq!(lock(&mutex), Err(Refusal::Deadlock));
    mutex.unlock();
    assert_eq!((mutex.owner(), mutex.is_locked()), (None, false));
}

#[test]
fn a_thread_that_ends_with_the_lock_leaves_it_to_the_next() {
    let mutex = RawMutex::new();
    std::thread::scope(|scope| {
        scope.spawn(|| lock(&mutex));
    });
    let inherited = lock(&mutex);
    assert_eq!(inherited, Ok(Acquired::Inherited(me())));
    assert_eq!(lock(&mutex), Err(Refusal::Deadlock));
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
    assert_eq!(lock(&mutex), Ok(Acquired::Clean));
    mutex.unlock();
}

#[test]
fn waiting_ends_at_the_deadline() {
    let mutex = RawMutex::new();
    let _ = lock(&mutex);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let soon = Deadline::after(Duration::from_millis(20));
            assert_eq!(mutex.lock(&soon.into()), Err(Refusal::TimedOut));
        });
    });
    mutex.unlock();
}

/// A robust mutex of the C library's, which shares the list with ours.
struct Foreign(Box<core::cell::UnsafeCell<libc::pthread_mutex_t>>);

#[allow(unsafe_code, reason = "calls the C library")]
impl Foreign {
    fn new() -> Self {
        let mut attributes = core::mem::MaybeUninit::uninit();
        let mutex = Box::new(core::cell::UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        // SAFETY: initialises the attributes.
        unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) };
        // SAFETY: initialised above.
        unsafe {
            libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST)
        };
        // SAFETY: nobody uses the mutex yet.
        assert_eq!(unsafe { libc::pthread_mutex_init(mutex.get(), attributes.as_ptr()) }, 0);
        Self(mutex)
    }

    fn lock(&self) {
        // SAFETY: it is initialised.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.0.get()) }, 0);
    }

    fn unlock(&self) {
        // SAFETY: this thread holds it.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(self.0.get()) }, 0);
    }
}

#[test]
fn locks_are_released_in_any_order_also_around_one_of_the_c_library() {
    let [a, b, c, last] = [const { RawMutex::new() }; 4];
    let ours = [&a, &b, &c];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let foreign = Foreign::new();
            // Where the foreign one is locked among ours, and the digits of an order to release them in.
            for (place, order) in (0..4).flat_map(|place| (0..256).map(move |order| (place, order)))
            {
                let order: [usize; 4] = core::array::from_fn(|digit| order >> (2 * digit) & 3);
                if (0..4).any(|member| !order.contains(&member)) {
                    continue;
                }
                for member in 0..4 {
                    if member == place {
                        foreign.lock();
                    }
                    if let Some(one) = ours.get(member) {
                        assert_eq!(lock(one), Ok(Acquired::Clean));
                    }
                }
                for member in order {
                    ours.get(member).map_or_else(|| foreign.unlock(), |one| one.unlock());
                }
                assert!(ours.iter().all(|one| !one.is_locked()));
            }
            for one in [&a, &last] {
                assert_eq!(lock(one), Ok(Acquired::Clean));
            }
        });
    });
    for one in [&a, &last] {
        assert!(matches!(lock(one), Ok(Acquired::Inherited(_))));
        one.adopt();
        one.unlock();
    }
    assert!(!b.is_locked() && !c.is_locked());
}
