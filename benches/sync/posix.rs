//! The C library's primitives, in memory that processes share.

use psync::Shared;
use std::{mem::MaybeUninit, sync::atomic::AtomicU64};

/// Zeroed shared memory that a primitive of the C library fits into, with a number behind it.
pub(crate) type Memory = Shared<[AtomicU64]>;

const WORDS: usize = 32;
const DATA: usize = 16;

pub(crate) fn memory() -> Memory {
    Memory::zeroed(WORDS).expect("shared memory")
}

/// Where the primitive of type `T` lies.
fn place<T>(memory: &Memory) -> *mut T {
    assert!(size_of::<T>() <= DATA * size_of::<AtomicU64>(), "the primitive fits");
    memory[..DATA].as_ptr().cast_mut().cast()
}

/// A mutex with a number beside it.
pub(crate) struct Mutex {
    raw: *mut libc::pthread_mutex_t,
    data: *mut u64,
    _memory: Memory,
}

// SAFETY: what it points to is for all processes, and so for all threads.
unsafe impl Sync for Mutex {}

impl Mutex {
    /// One that another process has made in `memory`.
    pub(crate) fn attach(memory: &Memory) -> Self {
        let data = memory[DATA..].as_ptr().cast_mut().cast();
        Self { raw: place(memory), data, _memory: memory.clone() }
    }

    /// A process-shared one, which is robust if that is asked for.
    pub(crate) fn new(memory: &Memory, robust: bool) -> Self {
        let mutex = Self::attach(memory);
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        check(unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) });
        // SAFETY: initialised above.
        check(unsafe {
            libc::pthread_mutexattr_setpshared(
                attributes.as_mut_ptr(),
                libc::PTHREAD_PROCESS_SHARED,
            )
        });
        if robust {
            // SAFETY: initialised above.
            check(unsafe {
                libc::pthread_mutexattr_setrobust(
                    attributes.as_mut_ptr(),
                    libc::PTHREAD_MUTEX_ROBUST,
                )
            });
        }
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::pthread_mutex_init(mutex.raw, attributes.as_ptr()) });
        mutex
    }

    /// Adds 1 to the number under the mutex.
    #[inline]
    pub(crate) fn add(&self) {
        self.lock();
        // SAFETY: the mutex is held.
        unsafe { *self.data += 1 };
        // SAFETY: this thread holds it.
        check(unsafe { libc::pthread_mutex_unlock(self.raw) });
    }

    #[inline]
    pub(crate) fn lock(&self) {
        // SAFETY: `new` has initialised it.
        check(unsafe { libc::pthread_mutex_lock(self.raw) });
    }

    /// Locks and unlocks it once a holder has died.
    pub(crate) fn take_over(&self) {
        // SAFETY: `new` has initialised it.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.raw) }, libc::EOWNERDEAD);
    }

    /// Declares the data sound and unlocks.
    pub(crate) fn give_back(&self) {
        // SAFETY: this thread has taken it over.
        check(unsafe { libc::pthread_mutex_consistent(self.raw) });
        // SAFETY: this thread holds it.
        check(unsafe { libc::pthread_mutex_unlock(self.raw) });
    }
}

/// A process-shared semaphore with one permit.
pub(crate) struct Semaphore {
    raw: *mut libc::sem_t,
    _memory: Memory,
}

impl Semaphore {
    pub(crate) fn new(memory: &Memory) -> Self {
        let raw = place(memory);
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::sem_init(raw, 1, 1) });
        Self { raw, _memory: memory.clone() }
    }

    #[inline]
    pub(crate) fn take_and_give_back(&self) {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::sem_wait(self.raw) });
        // SAFETY: as above.
        check(unsafe { libc::sem_post(self.raw) });
    }
}

/// A process-shared barrier of two.
pub(crate) struct Barrier {
    raw: *mut libc::pthread_barrier_t,
    _memory: Memory,
}

impl Barrier {
    pub(crate) fn attach(memory: &Memory) -> Self {
        Self { raw: place(memory), _memory: memory.clone() }
    }

    pub(crate) fn new(memory: &Memory) -> Self {
        let barrier = Self::attach(memory);
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        check(unsafe { libc::pthread_barrierattr_init(attributes.as_mut_ptr()) });
        // SAFETY: initialised above.
        check(unsafe {
            libc::pthread_barrierattr_setpshared(
                attributes.as_mut_ptr(),
                libc::PTHREAD_PROCESS_SHARED,
            )
        });
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::pthread_barrier_init(barrier.raw, attributes.as_ptr(), 2) });
        barrier
    }

    pub(crate) fn wait(&self) {
        // SAFETY: initialised by `new`.
        let result = unsafe { libc::pthread_barrier_wait(self.raw) };
        assert!(result == 0 || result == libc::PTHREAD_BARRIER_SERIAL_THREAD);
    }
}

/// What `Event` does, from a mutex and a condition: the way it is done between threads.
#[derive(Default)]
pub(crate) struct Flag {
    set: std::sync::Mutex<bool>,
    changed: std::sync::Condvar,
}

impl Flag {
    pub(crate) fn set(&self) {
        *self.set.lock().expect("sound") = true;
        self.changed.notify_all();
    }

    pub(crate) fn clear(&self) {
        *self.set.lock().expect("sound") = false;
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.set.lock().expect("sound")
    }
}

#[inline]
fn check(result: i32) {
    assert_eq!(result, 0, "a call of the C library fails");
}
