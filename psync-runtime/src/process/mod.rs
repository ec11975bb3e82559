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
pub(crate) mod handle;
mod handover;
mod legacy;
pub(crate) mod link;
pub mod log;
mod message;
mod never;
mod options;
mod outcome;
mod packed;
pub(crate) mod panics;
mod preload;
mod reaping;
pub(crate) mod scope;
mod start;
mod status;
mod streams;
mod supervisor;
mod surroundings;
pub(crate) mod wait_any;

pub use current::{ChildInfo, CurrentProcess, ParentProcess, active_children, cpu_count, current};
pub use error::{Failure, ParallelError, ProcessError, SpawnError};
pub use exit::Finalizer;
pub use handle::Process;
#[doc(hidden)]
pub use link::supervisor_pid;
pub use never::Never;
pub use options::{Options, StartMethod, Stdio};
pub(crate) use outcome::Fault;
pub(crate) use packed::{Runner, answer};
pub(crate) use panics::describe_panic;
pub use preload::{OnError, preload, set_executable};
pub use scope::{Scope, scope};
#[doc(hidden)]
pub use start::Spec;
pub(crate) use start::{function_at, offset_of_function, spawn_spec};
pub use start::{spawn, spawn_with};
pub use status::ExitStatus;
pub use wait_any::{Waitable, wait_any};
