//! What generated code may name, and nothing else. Not a public interface.

pub use crate::manager::{
    Manager, ManagerError,
    managed::{Answer, Handle, Managed, create},
};
pub use crate::process::supervisor_pid;
pub use crate::{
    pool::{OnFailure, Settings, each, one, parallel},
    process::{
        Never, Options, ParallelError, Process, ProcessError, Scope, SpawnError, Spec, StartMethod,
        block::{ByExit, ByValue, CloneCapture, Cloned, Ends, LendCapture},
        call::{Argument, Call, Crosses, Crossing, Detachable, MutBorrow, Owned, Returns},
        calls::*,
    },
    shm::{
        Guarded, Lend, LendMut, Lends, Lent, LentMut, Shared, SharedMemoryIsNeverDropped, ShmSafe,
        Zeroable, fingerprint, fingerprint_of,
    },
    sync::{
        Array, FieldsGuard, Lock, LockError, LockGuard,
        guarded::{Held, is_whole},
        hold::{
            Guards, GuardsFields, Hold, lock_fields, lock_fields_or_repair, lock_fields_timeout,
            lock_of, try_lock_fields,
        },
        shared_static::{Fits, SharedStatic, fits},
        wiring::{Lockable, acquire, barrier, lock, set_after, wait},
    },
};
pub use core::time::Duration;
pub use serde;
