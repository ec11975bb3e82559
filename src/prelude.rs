//! What most programs need: `use psync::prelude::*;`.

#[doc(no_inline)]
pub use crate::{
    AcquireError, Array, ArrayGuard, Barrier, BarrierWait, BrokenBarrier, Condvar, Event,
    ExitStatus, List, Lock, LockError, LockGuard, Mutex, MutexGuard, Once, Options, Permit,
    PoisonCause, Process, ProcessError, ReadGuard, ReentrantGuard, ReentrantMutex, ReleaseError,
    RwLock, Semaphore, Shared, ShmSafe, SpawnError, StartMethod, Stdio, Text, Value, ValueGuard,
    WaitTimeout, WriteGuard, parallel, process, shared,
};
