//! What most programs need: `use psync::prelude::*;`.

#[doc(no_inline)]
pub use crate::{
    Array, Barrier, BarrierWait, BrokenBarrier, Event, ExitStatus, List, Lock, LockError, Mutex,
    Options, Process, ProcessError, Semaphore, Shared, ShmSafe, SpawnError, StartMethod, Stdio,
    Text, Value, parallel, process, shared,
};
