//! Starting processes, watching them, and ending: boot, supervisor, start, handles, scopes.

#[doc(hidden)]
pub mod block;
mod boot;
#[doc(hidden)]
pub mod call;
#[doc(hidden)]
pub mod calls;
mod child;
mod current;
mod error;
mod exit;
mod family;
mod forking;
mod handle;
mod handover;
mod legacy;
mod link;
pub mod log;
mod message;
mod never;
mod options;
mod outcome;
mod parallel;
mod preload;
mod reaping;
mod scope;
mod start;
mod status;
mod streams;
mod supervisor;
mod surroundings;
mod wait_any;

pub(crate) use child::describe_panic;
pub use current::{ChildInfo, CurrentProcess, ParentProcess, active_children, cpu_count, current};
pub use error::{Failure, ParallelError, ProcessError, SpawnError};
pub use exit::Finalizer;
pub use handle::Process;
#[doc(hidden)]
pub use link::supervisor_pid;
pub use never::Never;
pub use options::{Options, StartMethod, Stdio};
pub(crate) use parallel::Bar;
#[doc(hidden)]
pub use parallel::{Branches, Each, OnFailure, One, Settings, each, one, parallel};
pub use preload::{OnError, preload, set_executable};
pub use scope::{Scope, scope};
#[doc(hidden)]
pub use start::Spec;
pub(crate) use start::{function_at, offset_of_function, spawn_spec};
pub use start::{spawn, spawn_with};
pub use status::ExitStatus;
pub use wait_any::{Waitable, wait_any};
