//! The C library's primitives, in memory that processes share.

use core::{marker::PhantomData, mem::MaybeUninit, ptr};
use std::sync::atomic::AtomicU64;

/// Zeros that a primitive of the C library fits into, with a number behind it.
pub(crate) type Memory = [AtomicU64; WORDS];

const WORDS: usize = 32;
const DATA: usize = 16;

pub(crate) const fn memory() -> Memory {
    [const { AtomicU64::new(0) }; WORDS]
}

/// Where the primitive of type `T` lies.
fn place<T>(memory: &Memory) -> *mut T {
    assert!(size_of::<T>() <= DATA * size_of::<AtomicU64>(), "the primitive fits");
    memory.as_ptr().cast_mut().cast()
}

/// For whom a mutex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The threads of one process.
    Private,
    Shared,
    /// Shared, and the next one learns of the death of its holder.
    Robust,
    /// Shared, and its holder may lock it again.
    Recursive,
}

/// A mutex with a number beside it.
#[derive(Clone, Copy)]
pub(crate) struct Mutex<'a> {
    raw: *mut libc::pthread_mutex_t,
    data: *mut u64,
    _memory: PhantomData<&'a Memory>,
}

// SAFETY: what it points to is for all processes, and so for all threads.
unsafe impl Sync for Mutex<'_> {}
// SAFETY: as above.
unsafe impl Send for Mutex<'_> {}

impl<'a> Mutex<'a> {
    /// One that [`new`](Self::new) has made in `memory`.
    pub(crate) fn attach(memory: &'a Memory) -> Self {
        let data = memory[DATA..].as_ptr().cast_mut().cast();
        Self { raw: place(memory), data, _memory: PhantomData }
    }

    pub(crate) fn new(memory: &'a Memory, kind: Kind) -> Self {
        let mutex = Self::attach(memory);
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        check(unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) });
        let attributes = attributes.as_mut_ptr();
        if kind != Kind::Private {
            // SAFETY: initialised above.
            check(unsafe {
                libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)
            });
        }
        if kind == Kind::Robust {
            // SAFETY: initialised above.
            check(unsafe {
                libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST)
            });
        }
        if kind == Kind::Recursive {
            // SAFETY: initialised above.
            check(unsafe {
                libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_RECURSIVE)
            });
        }
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::pthread_mutex_init(mutex.raw, attributes) });
        mutex
    }

    /// Adds 1 to the number under the mutex.
    #[inline]
    pub(crate) fn add(&self) {
        self.lock();
        // SAFETY: the mutex is held.
        unsafe { *self.data += 1 };
        self.unlock();
    }

    #[inline]
    pub(crate) fn lock(&self) {
        // SAFETY: `new` has initialised it.
        check(unsafe { libc::pthread_mutex_lock(self.raw) });
    }

    #[inline]
    pub(crate) fn unlock(&self) {
        // SAFETY: this thread holds it.
        check(unsafe { libc::pthread_mutex_unlock(self.raw) });
    }

    /// Locks it once a holder has died.
    pub(crate) fn take_over(&self) {
        // SAFETY: `new` has initialised it.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.raw) }, libc::EOWNERDEAD);
    }

    /// Declares the data sound and unlocks.
    pub(crate) fn give_back(&self) {
        // SAFETY: this thread has taken it over.
        check(unsafe { libc::pthread_mutex_consistent(self.raw) });
        self.unlock();
    }
}

/// A shared condition that is signalled when the number of a mutex changes.
#[derive(Clone, Copy)]
pub(crate) struct Condition<'a> {
    raw: *mut libc::pthread_cond_t,
    mutex: Mutex<'a>,
}

impl<'a> Condition<'a> {
    pub(crate) fn attach(memory: &'a Memory, mutex: Mutex<'a>) -> Self {
        Self { raw: place(memory), mutex }
    }

    pub(crate) fn new(memory: &'a Memory, mutex: Mutex<'a>) -> Self {
        let condition = Self::attach(memory, mutex);
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        check(unsafe { libc::pthread_condattr_init(attributes.as_mut_ptr()) });
        // SAFETY: initialised above.
        check(unsafe {
            libc::pthread_condattr_setpshared(attributes.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED)
        });
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::pthread_cond_init(condition.raw, attributes.as_ptr()) });
        condition
    }

    /// Waits until the number is `mine`, and makes it `others`.
    pub(crate) fn pass(&self, mine: u64, others: u64) {
        self.mutex.lock();
        // SAFETY: the mutex is held; the other one changes the number while this one waits.
        while unsafe { self.mutex.data.read_volatile() } != mine {
            // SAFETY: initialised by `new`, and the mutex is held.
            check(unsafe { libc::pthread_cond_wait(self.raw, self.mutex.raw) });
        }
        // SAFETY: the mutex is held.
        unsafe { *self.mutex.data = others };
        // SAFETY: initialised by `new`.
        check(unsafe { libc::pthread_cond_signal(self.raw) });
        self.mutex.unlock();
    }
}

/// A shared read-write lock with a number beside it.
#[derive(Clone, Copy)]
pub(crate) struct RwLock<'a> {
    raw: *mut libc::pthread_rwlock_t,
    data: *mut u64,
    _memory: PhantomData<&'a Memory>,
}

impl<'a> RwLock<'a> {
    pub(crate) fn attach(memory: &'a Memory) -> Self {
        let data = memory[DATA..].as_ptr().cast_mut().cast();
        Self { raw: place(memory), data, _memory: PhantomData }
    }

    pub(crate) fn new(memory: &'a Memory) -> Self {
        let lock = Self::attach(memory);
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialises the attributes.
        check(unsafe { libc::pthread_rwlockattr_init(attributes.as_mut_ptr()) });
        // SAFETY: initialised above.
        check(unsafe {
            libc::pthread_rwlockattr_setpshared(
                attributes.as_mut_ptr(),
                libc::PTHREAD_PROCESS_SHARED,
            )
        });
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::pthread_rwlock_init(lock.raw, attributes.as_ptr()) });
        lock
    }

    #[inline]
    pub(crate) fn read(&self) -> u64 {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::pthread_rwlock_rdlock(self.raw) });
        // SAFETY: nobody writes meanwhile.
        let number = unsafe { self.data.read_volatile() };
        self.unlock();
        number
    }

    #[inline]
    pub(crate) fn add(&self) {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::pthread_rwlock_wrlock(self.raw) });
        // SAFETY: the lock is held for writing.
        unsafe { *self.data += 1 };
        self.unlock();
    }

    #[inline]
    fn unlock(&self) {
        // SAFETY: this thread holds it.
        check(unsafe { libc::pthread_rwlock_unlock(self.raw) });
    }
}

/// A shared semaphore.
#[derive(Clone, Copy)]
pub(crate) struct Semaphore<'a> {
    raw: *mut libc::sem_t,
    _memory: PhantomData<&'a Memory>,
}

impl<'a> Semaphore<'a> {
    pub(crate) fn attach(memory: &'a Memory) -> Self {
        Self { raw: place(memory), _memory: PhantomData }
    }

    pub(crate) fn new(memory: &'a Memory, permits: u32) -> Self {
        let semaphore = Self::attach(memory);
        // SAFETY: the memory is large enough (`place`), and nobody uses it yet.
        check(unsafe { libc::sem_init(semaphore.raw, 1, permits) });
        semaphore
    }

    #[inline]
    pub(crate) fn take(&self) {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::sem_wait(self.raw) });
    }

    #[inline]
    pub(crate) fn give(&self) {
        // SAFETY: initialised by `new`.
        check(unsafe { libc::sem_post(self.raw) });
    }
}

/// A shared barrier of so many.
#[derive(Clone, Copy)]
pub(crate) struct Barrier<'a> {
    raw: *mut libc::pthread_barrier_t,
    _memory: PhantomData<&'a Memory>,
}

impl<'a> Barrier<'a> {
    pub(crate) fn attach(memory: &'a Memory) -> Self {
        Self { raw: place(memory), _memory: PhantomData }
    }

    pub(crate) fn new(memory: &'a Memory, parties: u32) -> Self {
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
        check(unsafe { libc::pthread_barrier_init(barrier.raw, attributes.as_ptr(), parties) });
        barrier
    }

    pub(crate) fn wait(&self) {
        // SAFETY: initialised by `new`.
        let result = unsafe { libc::pthread_barrier_wait(self.raw) };
        assert!(result == 0 || result == libc::PTHREAD_BARRIER_SERIAL_THREAD);
    }
}

/// What `Event` does, from a mutex and a condition: the way it is done between threads.
#[derive(Debug, Default)]
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

/// Where a thread may run.
#[derive(Clone, Copy)]
pub(crate) struct Processors(libc::cpu_set_t);

impl Processors {
    /// Those of the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: writes a set of the size that is told.
        let result =
            unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) };
        check(result);
        // SAFETY: zeros are a set, and the call has filled it in.
        Self(unsafe { set.assume_init() })
    }

    /// This one.
    pub(crate) fn only(number: usize) -> Self {
        // SAFETY: zeros are the empty set.
        let mut set = unsafe { MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init() };
        // SAFETY: the number of a processor that there is.
        unsafe { libc::CPU_SET(number, &mut set) };
        Self(set)
    }

    /// How many these are.
    pub(crate) fn count(&self) -> usize {
        // SAFETY: looks at a set.
        let count = unsafe { libc::CPU_COUNT(&self.0) };
        count.unsigned_abs() as usize
    }

    /// The lowest of them.
    pub(crate) fn first(&self) -> usize {
        self.numbers().next().expect("there is one")
    }

    /// The highest of them.
    pub(crate) fn last(&self) -> usize {
        self.numbers().last().expect("there is one")
    }

    fn numbers(&self) -> impl Iterator<Item = usize> {
        // SAFETY: looks at a set, for numbers that it has room for.
        let is_in = |number: &usize| unsafe { libc::CPU_ISSET(*number, &self.0) };
        (0..libc::CPU_SETSIZE.unsigned_abs() as usize).filter(is_in)
    }

    /// Has the calling thread run on these.
    pub(crate) fn use_them(&self) {
        // SAFETY: for the calling thread, with a set of the size that is told.
        check(unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), ptr::from_ref(&self.0)) });
    }
}

#[inline]
fn check(result: i32) {
    assert_eq!(result, 0, "a call of the C library fails");
}
