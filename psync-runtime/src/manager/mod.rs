//! Objects that a server process owns, and handles to them that every process of the program can use.
//!
//! [`Manager::start`] starts the server. What it makes is reached through *proxies*: handles like `Arc`, which can be cloned, sent to any
//! process, and put into other objects of the manager. Each call of a proxy is one step that nobody else comes between.
//!
//! | proxy | like | |
//! |---|---|---|
//! | [`ListProxy`] | `Vec` | |
//! | [`DictProxy`] | `HashMap` | keeps the order of insertion |
//! | [`SetProxy`] | `HashSet` | keeps the order of insertion |
//! | [`DequeProxy`] | `VecDeque` | |
//! | [`NamespaceProxy`] | a struct | a value of any type for each name |
//! | [`ValueProxy`] | `Mutex<T>` | one value |
//! | [`CounterProxy`] | `AtomicI64` | |
//! | [`LockProxy`], [`SemaphoreProxy`], [`EventProxy`], [`BarrierProxy`], [`ConditionProxy`], [`QueueProxy`], [`SharedProxy`] | the primitive itself | lies in shared memory, where its users wait: the server only keeps it |
//!
//! Objects of your own types are managed with `#[managed]` on an `impl` block.
//!
//! # When not to use it
//! A call goes to another process and back. Numbers and plain data that many processes change are faster in a [`Shared`](crate::shm::Shared)
//! value with a lock, and messages in a [`Queue`](crate::channel::Queue).

mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod held;
mod item;
mod lane;
mod life;
#[doc(hidden)]
pub mod managed;
mod naming;
mod net;
mod object;
mod proxy;
mod remote;
mod serve;
mod server;
mod stored;
mod wire;

pub use error::ManagerError;
pub use item::Item;
pub use life::Manager;
pub use managed::Managed;
pub use naming::Proxy;
pub use net::{Address, Client, Listener};
pub use proxy::{
    barrier::BarrierProxy, condition::ConditionProxy, counter::CounterProxy, deque::DequeProxy,
    dict::DictProxy, event::EventProxy, list::ListProxy, lock::LockProxy,
    namespace::NamespaceProxy, queue::QueueProxy, semaphore::SemaphoreProxy, set::SetProxy,
    shared::SharedProxy, value::ValueProxy,
};
