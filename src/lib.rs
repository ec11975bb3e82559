//! Process-based parallelism for Rust: shared memory that is race-free by type, processes that start without set-up, and a kill -9
//! at any instruction that leaves nobody hanging.
//!
//! | to | use |
//! |---|---|
//! | share a value between processes | [`Shared`], with [`shared`](macro@shared) on its type |
//! | have a value in every process without passing it | [`shared`](macro@shared) on a `static` |
//! | change it in turns | [`Mutex`], [`Lock`], [`Value`], [`ReentrantMutex`], [`RwLock`] |
//! | wait for it, count it, meet | [`Event`], [`Condvar`], [`Once`], [`Semaphore`], [`Barrier`] |
//! | own objects of any kind in a process of their own | [`Manager`], with [`managed`](macro@managed) on the methods of a type |
//! | see who waits for whom | [`dump_waits`], [`DeadlockReport`] |
//! | share a slice of run-time length | [`Array`], [`Shared<[T]>`](Shared) |
//! | run a function in a process | [`process`](macro@process) on the function, or [`spawn`] |
//! | run several and wait for all | [`parallel!`] |
//! | say what happens | [`log`] |
//! | have a few processes do many tasks | [`Pool`], whose [`Task`](pool::Task)s are futures as well |
//! | lend them memory | [`scope`], or [`parallel!`] |
//!
//! # A first program
//!
//! ```
//! use psync::prelude::*;
//!
//! #[shared]
//! struct Farm {
//!     bell: Event,
//!     #[init(Semaphore::new(2))]
//!     swings: Semaphore,
//!     fed: Value<u32>,
//! }
//!
//! #[process(wait(farm.bell), acquire(farm.swings))]
//! fn monkey(farm: &Farm, name: String) -> String {
//!     farm.fed.update(|n| n + 1);
//!     format!("{name} swings")
//! }
//!
//! #[process]
//! fn ring(farm: &Farm) {
//!     farm.bell.set();
//! }
//!
//! let farm = Shared::new(Farm::default())?;
//! let (said, ()) = parallel! {
//!     for name in ["George", "Fred", "Percy"] => monkey(&farm, name.to_string()),
//!     ring(&farm),
//! }?;
//! assert_eq!(said, ["George swings", "Fred swings", "Percy swings"]);
//! assert_eq!(farm.fed.get(), 3);
//! # Ok::<(), psync::Error>(())
//! ```
//!
//! There is no `init` to call and no attribute on `main`. Every process of a program runs the same executable; psync notices before `main`
//! that a process is one of its own.
//!
//! # What a kill does
//!
//! A process can be killed at any instruction. When a process ends in any way, the kernel ends every process that it started. Shared memory has no
//! name, so there is nothing to clean up.
//!
//! | it had, or was doing | the others see |
//! |---|---|
//! | the lock of a [`Mutex`], [`Lock`], [`ReentrantMutex`] or [`Array`]; an [`RwLock`], to write | [`LockError::Poisoned`], until somebody makes the data whole |
//! | an [`RwLock`], to read | it has left |
//! | the guard of a [`Value`], or half of an update | the value from before |
//! | permits of a [`Semaphore`] | they are free again |
//! | a [`Once`], which it was making | whoever comes next makes it |
//! | waiting at a [`Barrier`], or running its action | [`BrokenBarrier`], with its pid |
//! | a task of a [`Pool`] | the task is tried again, or is [`WorkerLost`](pool::TaskError::WorkerLost); all others go on, and a new worker takes its place |
//! | waiting for an [`Event`], a [`Condvar`], a lock or a permit | it was never there; a notification that it had not used goes to another |
//!
//! It cannot be seen that a process *would have* set an event, or come to a barrier: wait with a timeout where it may die before.
//!
//! # When processes wait for each other
//!
//! Threads that wait for each other's locks, in whichever processes, are a deadlock: one of them gets [`LockError::Deadlock`] within a second, with a
//! [report](DeadlockReport) of who waits for what and where. So are waits for messages of a queue, or for room in it, that only those could end who wait for each other:
//! [`RecvError::Deadlock`], [`SendErrorKind::Deadlock`]. Nothing else is reported; an event that nobody will set, or a barrier at which somebody is
//! missing, is waited for as long as one asks for. [`dump_waits`] tells who waits at this moment.

#[doc(inline)]
pub use psync_macros::{managed, parallel, process, shared};
#[doc(inline)]
pub use psync_runtime::{
    Error, OsError, Result,
    channel::{
        Connection, Iter, Job, Queue, Receiver, RecvError, SendError, SendErrorKind, Sender,
        WorkQueue, channel, pipe,
    },
    manager::{self, Manager, ManagerError},
    pool::{self, Pool},
    process::{
        ChildInfo, CurrentProcess, ExitStatus, Failure, Finalizer, Never, OnError, Options,
        ParallelError, ParentProcess, Process, ProcessError, Scope, SpawnError, StartMethod, Stdio,
        Waitable, active_children, cpu_count, current, log, preload, scope, set_executable, spawn,
        spawn_with, wait_any,
    },
    shm::{CapacityError, List, Shared, ShmError, ShmSafe, Text, Zeroable},
    sync::{
        AcquireError, Array, ArrayGuard, Barrier, BarrierWait, BrokenBarrier, Condition, Condvar,
        CondvarGuard, DeadlockReport, DeadlockWait, Event, Lock, LockError, LockGuard, Mutex,
        MutexGuard, Once, Permit, PoisonCause, ReadGuard, ReentrantGuard, ReentrantMutex,
        ReleaseError, RwLock, Semaphore, Value, ValueGuard, WaitTimeout, WriteGuard, dump_waits,
    },
};

pub mod prelude;

#[doc(hidden)]
pub use psync_runtime::__private;

/// What the README shows runs as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
