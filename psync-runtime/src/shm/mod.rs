//! Memory that processes share: values, slices, and what may be in them.
//!
//! * [`Shared<T>`] puts a value, or a slice of run-time length, where every process of the program can hold it.
//! * [`ShmSafe`] says which types may be there; `#[shared]` implements it.
//! * [`Text<N>`] and [`List<T, N>`] are the string and the vector for fields of such types.
//!
//! There are no names in the file system, so nothing is left behind, whatever way the processes end.
//!
//! Not for messages: a value that one process makes and another uses up is better sent through a queue.

mod block;
mod error;
mod foreign;
mod guarded;
pub(crate) mod lend;
mod list;
pub(crate) mod registry;
mod safe;
pub(crate) mod segment;
mod shared;
mod text;
pub(crate) mod transfer;
pub(crate) mod world;

pub use error::{CapacityError, ShmError};
#[doc(hidden)]
pub use guarded::Guarded;
#[doc(hidden)]
pub use lend::{Lend, LendMut, Lends, Lent, LentMut};
pub use list::List;
#[doc(hidden)]
pub use safe::{SharedMemoryIsNeverDropped, fingerprint, fingerprint_of};
pub use safe::{ShmSafe, Zeroable};
#[doc(hidden)]
pub use shared::Shape;
pub use shared::Shared;
pub use text::Text;

pub(crate) use lend::lend_handle;
pub(crate) use segment::Segment;
pub(crate) use transfer::{Carried, Luggage, collect, collect_for, collect_to_keep, offer};
