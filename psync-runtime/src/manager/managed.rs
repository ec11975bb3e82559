//! Objects of the user's own types: what `#[managed]` builds on.

use super::{
    Item, Manager, ManagerError,
    error::Fault,
    held::{Going, Held},
    object::{as_a, unknown},
    serve::{Entry, Maker, Served},
    server::Server,
    wire::{Arguments, Reply, offset, put_last, put_number, take_last, take_nothing},
};
use crate::{
    channel::fingerprint,
    process::call::{Crossing, Owned},
};
use core::{any::Any, fmt, marker::PhantomData};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::sync::{Arc, PoisonError, RwLock};

/// A type that a manager's server can own: `#[managed]` on its `impl` block makes it one, and its proxy.
#[diagnostic::on_unimplemented(
    message = "a manager cannot own a `{Self}`",
    label = "not managed",
    note = "put `#[managed]` on the `impl` block with its public methods"
)]
pub trait Managed: Send + Sync + Sized + 'static {
    /// Its handle, with the same methods.
    type Proxy: From<Handle<Self>> + AsRef<Handle<Self>>;
}

/// A value that a managed method can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot come back from a manager's server",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "what a managed method returns is `Serialize + DeserializeOwned`"
)]
pub trait Answer: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<R: Serialize + DeserializeOwned> Answer for R {}

/// What the proxy of a `T` is inside.
#[doc(hidden)]
pub struct Handle<T> {
    held: Held,
    of: PhantomData<fn() -> T>,
}

/// An object in the server. Methods with `&self` run beside each other, those with `&mut self` alone. If one of the latter panics the lock is poisoned,
/// as std's are.
struct Object<T>(RwLock<T>);

impl<T: Send + Sync + 'static> Served for Object<T> {
    fn call(&self, _: u32, _: &mut Arguments<'_>, _: &mut Reply<'_>) -> Result<(), Fault> {
        Err(unknown())
    }
}

fn poisoned<T>(_: PoisonError<T>) -> Fault {
    Fault::Poisoned
}

#[allow(unsafe_code, reason = "takes a function from the client")]
fn make<T: Managed, A: DeserializeOwned>(
    arguments: &mut Arguments<'_>,
    _: &mut Reply<'_>,
) -> Result<Arc<dyn Served>, Fault> {
    // SAFETY: `create` puts a function of this type there (UNSAFE.md, P1).
    let make: fn(A) -> T = unsafe { arguments.function()? };
    Ok(Arc::new(Object(RwLock::new(make(arguments.last_value()?)))))
}

#[allow(unsafe_code, reason = "takes a function from the client")]
fn look<T: Managed, A: DeserializeOwned, R: Serialize>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let Object(object) = as_a::<Object<T>>(object)?;
    // SAFETY: `Handle::<T>::look` puts a function of this type there (UNSAFE.md, P1).
    let method: fn(&T, A) -> R = unsafe { arguments.function()? };
    let arguments = arguments.last_value()?;
    let result = method(&*object.read().map_err(poisoned)?, arguments);
    reply.value(&result)
}

#[allow(unsafe_code, reason = "takes a function from the client")]
fn change<T: Managed, A: DeserializeOwned, R: Serialize>(
    object: &dyn Any,
    arguments: &mut Arguments<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let Object(object) = as_a::<Object<T>>(object)?;
    // SAFETY: `Handle::<T>::change` puts a function of this type there (UNSAFE.md, P1).
    let method: fn(&mut T, A) -> R = unsafe { arguments.function()? };
    let arguments = arguments.last_value()?;
    let result = method(&mut *object.write().map_err(poisoned)?, arguments);
    reply.value(&result)
}

fn clear_poison<T: Managed>(
    object: &dyn Any,
    _: &mut Arguments<'_>,
    _: &mut Reply<'_>,
) -> Result<(), Fault> {
    as_a::<Object<T>>(object)?.0.clear_poison();
    Ok(())
}

/// Has the server call `make` with these arguments, and own what it returns.
#[doc(hidden)]
pub fn create<T: Managed, E: Crossing>(
    manager: &Manager,
    make: fn(E::Received) -> T,
    arguments: &E,
) -> Result<T::Proxy, ManagerError> {
    let maker: Maker = self::make::<T, E::Received>;
    Handle::new(manager.server(), maker, make as *const (), arguments).map(T::Proxy::from)
}

impl Manager {
    /// Has the server call `make(args)`, and own what that returns. For types with `#[managed]` on their `impl` block.
    ///
    /// `make` is a function, or a closure that captures nothing. What the object holds need not be fit to be sent: it is made in the server, and stays there.
    ///
    /// # Errors
    /// [`ManagerError::Panicked`] if `make` panics, [`ManagerError::Encode`], [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::prelude::*;
    ///
    /// struct Account {
    ///     cents: i64,
    /// }
    ///
    /// #[managed]
    /// impl Account {
    ///     pub fn deposit(&mut self, cents: i64) -> i64 {
    ///         self.cents += cents;
    ///         self.cents
    ///     }
    /// }
    ///
    /// let manager = Manager::start()?;
    /// let account: AccountProxy = manager.create(|cents| Account { cents }, 10)?;
    /// assert_eq!(account.deposit(5)?, 15);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn create<T: Managed, A: Item>(
        &self,
        make: fn(A) -> T,
        args: A,
    ) -> Result<T::Proxy, ManagerError> {
        let maker: Maker = self::make::<T, A>;
        Handle::new(self.server(), maker, make as *const (), &Owned(args)).map(T::Proxy::from)
    }

    /// Declares an object sound of which a method panicked while it had the object to itself, so that it can be called again.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    ///
    /// # Examples
    /// ```
    /// use psync::prelude::*;
    ///
    /// struct Stack(Vec<u32>);
    ///
    /// #[managed]
    /// impl Stack {
    ///     pub fn new() -> Self {
    ///         Stack(Vec::new())
    ///     }
    ///     pub fn push(&mut self, n: u32) {
    ///         assert!(n != 0, "no zeros here");
    ///         self.0.push(n);
    ///     }
    /// }
    ///
    /// let manager = Manager::start()?;
    /// let stack = StackProxy::new(&manager)?;
    /// assert!(matches!(stack.push(0), Err(ManagerError::Panicked { .. })));
    /// assert!(matches!(stack.push(1), Err(ManagerError::Poisoned)));
    /// manager.clear_poison::<Stack>(&stack)?;
    /// stack.push(1)?;
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn clear_poison<T: Managed>(&self, proxy: &T::Proxy) -> Result<(), ManagerError> {
        let entry: Entry = clear_poison::<T>;
        let handle: &Handle<T> = proxy.as_ref();
        handle.held.enter::<(), _>(entry as *const (), |_| Ok(()), take_nothing)
    }
}

impl<T: Managed> Handle<T> {
    fn new<E: Serialize>(
        server: &Arc<Server>,
        maker: Maker,
        make: *const (),
        arguments: &E,
    ) -> Result<Self, ManagerError> {
        let (maker, make) = (offset(maker as *const ())?, offset(make)?);
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, maker);
            put_number(bytes, make);
            put_last(bytes, arguments)
        };
        Held::make_by(server, write).map(|held| Self { held, of: PhantomData })
    }

    /// Calls a method that looks at the object.
    pub fn look<E: Crossing, R: Answer>(
        &self,
        method: fn(&T, E::Received) -> R,
        arguments: &E,
    ) -> Result<R, ManagerError> {
        let entry: Entry = look::<T, E::Received, R>;
        self.call(entry, method as *const (), arguments)
    }

    /// Calls a method that may change the object.
    pub fn change<E: Crossing, R: Answer>(
        &self,
        method: fn(&mut T, E::Received) -> R,
        arguments: &E,
    ) -> Result<R, ManagerError> {
        let entry: Entry = change::<T, E::Received, R>;
        self.call(entry, method as *const (), arguments)
    }

    fn call<E: Serialize, R: DeserializeOwned>(
        &self,
        entry: Entry,
        method: *const (),
        arguments: &E,
    ) -> Result<R, ManagerError> {
        let method = offset(method)?;
        let write = |bytes: &mut Vec<u8>| {
            put_number(bytes, method);
            put_last(bytes, arguments)
        };
        self.held.enter::<(), _>(entry as *const (), write, take_last)
    }
}

impl<T> Handle<T> {
    /// Whether both are handles of the same object.
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        a.held.is(&b.held)
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), of: PhantomData }
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.show::<T>(f)
    }
}

impl<T> Serialize for Handle<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let going: Going<'_> = self.held.going(fingerprint::<Self>());
        going.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Handle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let held = Held::arrive(fingerprint::<Self>(), deserializer)?;
        Ok(Self { held, of: PhantomData })
    }
}
