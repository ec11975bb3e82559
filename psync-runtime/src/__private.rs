//! What generated code may name, and nothing else. Not a public interface.

pub use crate::process::supervisor_pid;
pub use crate::{
    process::{
        OnFailure, Options, ParallelError, Process, ProcessError, Scope, Settings, SpawnError,
        Spec, StartMethod,
        call::{
            Argument, Call, CloneCapture, Crosses, Crossing, Detachable, LendCapture, MutBorrow,
            Owned, Returns, block, call,
        },
        each, one, parallel,
    },
    shm::{
        Guarded, Lend, LendMut, Lends, Lent, LentMut, Shared, ShmSafe, Zeroable, fingerprint,
        fingerprint_of,
    },
    sync::{
        Array, FieldsGuard, Lock, LockError, LockGuard,
        guarded::{Held, is_whole, lock_or_repair},
        shared_static::{Fits, SharedStatic, fits},
        wiring::{Lockable, acquire, barrier, lock, set_after, wait},
    },
};
pub use core::time::Duration;
