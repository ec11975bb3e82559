//! Values that objects of a manager hold.

use serde::{Serialize, de::DeserializeOwned};

/// A value that an object of a manager can hold: whatever serde can encode and decode again.
///
/// Handles in it, such as proxies, queues and shared memory, stay handles: what comes back is the same queue, not a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be held by a manager",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to its definition, or have it made by the manager with `#[managed]`"
)]
pub trait Item: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Item for T {}
