//! Starting processes, watching them, and ending: boot, supervisor, start, handles, scopes.

mod boot;
mod child;
mod current;
mod error;
mod exit;
mod family;
mod handle;
mod link;
mod message;
mod options;
mod outcome;
mod parallel;
mod preload;
mod scope;
mod start;
mod status;
mod supervisor;
mod surroundings;
mod wait_any;

pub use current::{ChildInfo, CurrentProcess, ParentProcess, active_children, cpu_count, current};
pub use error::{Failure, ParallelError, ProcessError, SpawnError};
pub use exit::Finalizer;
pub use handle::Process;
pub use options::{Options, StartMethod, Stdio};
pub use parallel::{Branches, Each, Group, OnFailure, One, Settings, parallel};
pub use preload::{OnError, preload, set_executable};
pub use scope::{Scope, scope, spawn_in};
pub use start::{Spec, run_spec, spawn, spawn_spec, spawn_with};
pub use status::ExitStatus;
pub use wait_any::{Waitable, wait_any};
