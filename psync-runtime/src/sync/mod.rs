//! Primitives that processes synchronise with, and that survive the death of any of them.
//!
//! All of them are plain values with `const fn new`: put them into shared memory, alone or as fields, and use them through
//! `&self` from every process that maps it; or use them on the heap between threads. None needs to be dropped.
//!
//! | type | for |
//! |---|---|
//! | [`Mutex`] | data that one thread at a time may touch; says so if a process died while it did |
//! | [`Lock`] | the same without data |
//! | [`ReentrantMutex`] | the same for a thread that may need it twice |
//! | [`Array`] | the same around a slice of run-time length |
//! | [`RwLock`] | data that many may read, or one may change |
//! | [`Value`] | a small value that is read without waiting and replaced in one step |
//! | [`Semaphore`] | so many at a time |
//! | [`Event`] | "it has happened" |
//! | [`Condvar`] | "somebody has changed what is behind the mutex" |
//! | [`Once`] | a value that whoever comes first makes for all |
//! | [`Barrier`] | "all of us have got here" |
//!
//! # What they have in common
//!
//! * Each blocking operation comes in up to three forms: `op` waits, `try_op` does not, `op_timeout` waits no longer than a `Duration`, by a clock that nobody can
//!   set. A timeout of zero tries once.
//! * Who gets on next among several that wait is not determined, except by a [`Condvar`].
//! * What a process wrote before it let go is visible to whoever gets hold next.
//! * A death is noticed by whoever waits, or comes next: at once where the kernel marks the locks of the dead, else as soon as the death is known. If nobody is
//!   left who tells of deaths, that takes a second.
//! * A circle of waits for locks is [reported](DeadlockReport) to one of its threads. [`dump_waits`] lists all waits.
//!
//! # When not to use them
//!
//! Between the threads of one process, those of the standard library are simpler, and do not need data that is fit for shared memory. For a number or a flag with
//! nothing beside it, take an atomic. A guard that is leaked keeps what it holds for as long as its thread, or its process, lives; its lock must not move or
//! go away after that.
//!
//! # Inside
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
#[doc(hidden)]
pub mod hold;
mod lock;
mod mutex;
mod once;
pub(crate) mod raw;
mod reentrant;
mod rwlock;
mod semaphore;
#[doc(hidden)]
pub mod shared_static;
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
