//! What most programs need: `use psync::prelude::*;`.

#[doc(no_inline)]
pub use crate::{
    AcquireError, Array, ArrayGuard, Barrier, BarrierWait, BrokenBarrier, Event, ExitStatus, List,
    Lock, LockError, LockGuard, Mutex, MutexGuard, Options, Permit, PoisonCause, Process,
    ProcessError, ReleaseError, Semaphore, Shared, ShmSafe, SpawnError, StartMethod, Stdio, Text,
    Value, ValueGuard, parallel, process, shared,
};
