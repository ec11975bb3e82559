//! The state machines behind the primitives: words and protocols, without typed data, guards or rich errors.

mod barrier;
mod condvar;
mod death;
mod event;
mod mutex;
mod once;
mod owners;
mod permits;
mod presence;
mod roster;
mod rwlock;
mod semaphore;
mod signal;
mod sleepers;
mod spin;
mod versions;

pub(crate) use barrier::{Arrival, RawBarrier, Turn};
pub(crate) use condvar::{Ended, RawCondvar};
pub(crate) use death::{await_orphans, is_certain, is_dead, is_gone};
pub(crate) use event::RawEvent;
pub(crate) use mutex::{Acquired, Poison, RawMutex, Refusal};
pub(crate) use once::RawOnce;
pub(crate) use rwlock::{RawRwLock, Reading};
pub(crate) use semaphore::{Denied, RawSemaphore, Release};
pub(crate) use sleepers::{Sleepers, Sleeping};
pub(crate) use spin::{Spin, Worth};
pub(crate) use versions::Versions;

pub(crate) use crate::shm::world::{Identity, Me, known_bits, me};
