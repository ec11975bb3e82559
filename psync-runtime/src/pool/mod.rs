//! A pool of processes that work on tasks, and outlives any of them.
//!
//! | to | use |
//! |---|---|
//! | have a function applied to many items | [`Pool::map`], [`Pool::imap`], [`Pool::imap_unordered`] |
//! | run one call and wait for it | [`Pool::run`] |
//! | run one call meanwhile | [`Pool::submit`], which gives a [`Task`] |
//! | wait for several tasks | [`as_completed`], [`wait_tasks`] |
//!
//! How it works inside is in ARCHITECTURE.md; `desk.rs` has every word that is shared with the workers.

mod batch;
mod books;
mod builder;
mod callbacks;
mod collect;
mod completed;
mod crew;
mod desk;
mod error;
mod feed;
mod frame;
mod handle;
mod inner;
mod keeper;
mod map;
mod parallel;
mod recover;
mod signal;
mod stats;
mod task;
mod worker;

pub use builder::PoolBuilder;
pub use completed::{AsCompleted, Deadlined, ReturnWhen, Unfinished, as_completed, wait_tasks};
pub use error::{SubmitError, TaskError};
pub use handle::Pool;
pub use map::{Imap, ImapUnordered, MapOptions};
use parallel::Bar;
#[doc(hidden)]
pub use parallel::{Branches, Each, OnFailure, One, Settings, each, one, parallel};
pub use stats::{PoolStats, WorkerInfo, WorkerState};
pub use task::Task;
