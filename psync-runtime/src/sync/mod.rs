//! Primitives that processes synchronise with, and that survive the death of any of them.
//!
//! All of them are plain values with `const fn new`: put them into shared memory, alone or as fields, and use them through
//! `&self` from every process that maps it; or use them on the heap between threads. None needs to be dropped.
//!
//! | type | for |
//! |---|---|
//! | [`Mutex`] | data that one process at a time may touch; says so if one died while it did |
//! | [`Lock`] | the same without data |
//! | [`ReentrantMutex`] | the same for a thread that may need it twice |
//! | [`RwLock`] | data that many may read, or one may change |
//! | [`Array`] | a slice of run-time length, likewise |
//! | [`Value`] | a small value that is read without waiting and replaced in one step |
//! | [`Semaphore`] | so many at a time |
//! | [`Event`] | "it has happened" |
//! | [`Condvar`] | "somebody has changed what is behind the mutex" |
//! | [`Once`] | a value that whoever comes first makes for all |
//! | [`Barrier`] | "all of us have got here" |
//!
//! Three tiers each: the word of shared memory that the kernel wakes sleepers on, the state machine in `raw`, and the type that users see.

mod action;
mod array;
mod barrier;
mod condvar;
mod deadlock;
mod error;
mod event;
#[doc(hidden)]
pub mod guarded;
mod lock;
mod mutex;
mod once;
pub(crate) mod raw;
mod reentrant;
mod rwlock;
mod semaphore;
mod shm_safe;
#[doc(hidden)]
pub mod testing;
mod value;
#[doc(hidden)]
pub mod wiring;

pub use array::{Array, ArrayGuard};
pub use barrier::{Barrier, BarrierWait, BrokenBarrier};
#[doc(hidden)]
pub use condvar::FieldsGuard;
pub use condvar::{Condition, Condvar, CondvarGuard, WaitTimeout};
pub use deadlock::{DeadlockReport, DeadlockWait, dump_waits};
pub use error::{LockError, PoisonCause};
pub use event::Event;
pub use lock::{Lock, LockGuard};
pub use mutex::{Mutex, MutexGuard};
pub use once::Once;
pub use reentrant::{ReentrantGuard, ReentrantMutex};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{AcquireError, Permit, ReleaseError, Semaphore};
pub use value::{Value, ValueGuard};
