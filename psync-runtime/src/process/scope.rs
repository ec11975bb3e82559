//! Scopes: processes that have all ended when the scope has, so that memory can be lent to them.

use super::{Process, handle::Child};
use crate::{
    shm::world::{Blocking, Operation, Site},
    sys::clock::Deadline,
};
use core::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

/// Where processes are started that may borrow. See [`scope`].
///
/// # Examples
/// ```
/// use psync::{Array, process, scope};
///
/// #[process]
/// fn double(part: &mut [u32]) {
///     part.iter_mut().for_each(|value| *value *= 2);
/// }
///
/// let array = Array::from_slice(&[1, 2, 3, 4])?;
/// let mut values = array.lock()?;
/// scope(|scope| {
///     for part in values.chunks_mut(2) {
///         double::spawn_in(scope, part).expect("a process");
///     }
/// });
/// assert_eq!(values[..], [2, 4, 6, 8]);
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    children: Mutex<Vec<Arc<Child>>>,
    invariant: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Calls `f` with a scope, and waits for every process that was started in it before it returns, also when `f` panics.
///
/// `spawn_in` of a `#[process]` function starts a process in a scope. Its references may be borrowed from anything that outlives
/// the scope, as long as they point into shared memory: a [`Shared`](crate::shm::Shared), or the guard of an `Array`.
///
/// A process that fails without its handle being joined is waited for like the others, and its error is dropped with its handle.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope { children: Mutex::default(), invariant: PhantomData, env: PhantomData };
    let all = JoinAll::new(&scope.children, "scope");
    let result = f(&scope);
    drop(all);
    result
}

/// Waits for all when it is dropped.
pub(crate) struct JoinAll<'a> {
    children: &'a Mutex<Vec<Arc<Child>>>,
    pub(crate) site: Site,
}

impl<'a> JoinAll<'a> {
    #[track_caller]
    pub(crate) fn new(children: &'a Mutex<Vec<Arc<Child>>>, what: &'static str) -> Self {
        Self { children, site: Site { what, ..Site::here::<Self>(Operation::Join) } }
    }
}

impl Drop for JoinAll<'_> {
    fn drop(&mut self) {
        // A process of the scope cannot start others in it, but another thread of this process can.
        let next = || self.children.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(child) = next() {
            child.wait(&Blocking::new(Deadline::NEVER, Some(self.site)));
        }
    }
}

impl Scope<'_, '_> {
    /// Has the scope wait for a process.
    pub(crate) fn add<R>(&self, process: &Process<R>) {
        self.children
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(process.child()));
    }
}
