//! What most programs need: `use psync::prelude::*;`.

#[doc(no_inline)]
pub use crate::{
    AcquireError, Array, ArrayGuard, Barrier, BarrierWait, BrokenBarrier, Condvar, Connection,
    Event, ExitStatus, Job, List, Lock, LockError, LockGuard, Manager, ManagerError, Mutex,
    MutexGuard, Once, Options, Permit, PoisonCause, Pool, Process, ProcessError, Queue, ReadGuard,
    Receiver, RecvError, ReentrantGuard, ReentrantMutex, ReleaseError, RwLock, Semaphore,
    SendError, SendErrorKind, Sender, Shared, ShmSafe, SpawnError, StartMethod, Stdio, Text, Value,
    ValueGuard, WaitTimeout, WorkQueue, WriteGuard, channel, managed, parallel, pipe, process,
    shared,
};
