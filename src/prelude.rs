//! What most programs need: `use psync::prelude::*;`.

#[doc(no_inline)]
pub use crate::{
    AcquireError, Array, ArrayGuard, Barrier, BarrierWait, BrokenBarrier, Connection, Event,
    ExitStatus, Job, List, Lock, LockError, LockGuard, Mutex, MutexGuard, Options, Permit,
    PoisonCause, Process, ProcessError, Queue, Receiver, RecvError, ReleaseError, Semaphore,
    SendError, SendErrorKind, Sender, Shared, ShmSafe, SpawnError, StartMethod, Stdio, Text, Value,
    ValueGuard, WorkQueue, channel, parallel, pipe, process, shared,
};
