//! What `#[process]` makes of a call: the function and its arguments, ready to be started.

use super::{
    Options, Process, ProcessError, Runner, Scope, SpawnError, StartMethod,
    packed::{self, RunBy},
    start::{Spec, spawn_spec},
};
use crate::shm::{Lend, LendMut, Lent, LentMut};
use core::fmt;
use serde::{Serialize, Serializer, de::DeserializeOwned};

/// A value that can be sent to another process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross to another process",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to its definition, or lend it as `&{Self}` from shared memory"
)]
pub trait Crosses: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Crosses for T {}

/// A value that can be what a process returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot come back from another process",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "a result is `Serialize + DeserializeOwned + Send + 'static`"
)]
pub trait Returns: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Returns for T {}

/// An argument that goes by value.
#[derive(Debug)]
pub struct Owned<T>(pub T);

impl<T: Serialize> Serialize for Owned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// One argument on its way, and what it is on arrival.
pub trait Argument: Serialize {
    /// Encoded like this type.
    type Received: DeserializeOwned + 'static;
}

impl<T: Crosses + 'static> Argument for Owned<T> {
    type Received = T;
}

impl<T: Lend + ?Sized + 'static> Argument for Lent<'_, T> {
    type Received = Lent<'static, T>;
}

impl<T: LendMut + ?Sized + 'static> Argument for LentMut<'_, T> {
    type Received = LentMut<'static, T>;
}

/// All arguments: a tuple.
pub trait Crossing: Serialize + Sized {
    /// Encoded like this type.
    type Received: DeserializeOwned + 'static;

    /// Starts a function with these arguments. Here, so that [`call`] need not ask of the type what its own bound implies: the
    /// compiler would report a type that cannot cross twice.
    #[doc(hidden)]
    fn start<R: Returns>(
        self,
        spec: &Spec,
        options: Options,
        f: fn(Self::Received) -> R,
    ) -> Result<Process<R>, SpawnError> {
        spawn_spec(spec, options, f, self)
    }

    /// What calls a function with these arguments in a process that is there already. Here for the same reason.
    #[doc(hidden)]
    fn runner<R: Returns>() -> RunBy {
        RunBy(packed::runner::<Self::Received, R>)
    }

    /// The same for a function that never returns.
    #[doc(hidden)]
    fn diverging_runner() -> RunBy {
        RunBy(packed::diverging::<Self::Received>)
    }
}

macro_rules! crossing {
    ($(($($name:ident)*))+) => {$(
        impl<$($name: Argument),*> Crossing for ($($name,)*) {
            type Received = ($($name::Received,)*);
        }
    )+};
}
crossing! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L) (A B C D E F G H I J K L M)
    (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O) (A B C D E F G H I J K L M N O P)
}

/// Marks functions that may start without being waited for; those with a `&mut` parameter may not.
#[diagnostic::on_unimplemented(
    message = "this function borrows with `&mut`, so its end must be awaited; start it with `spawn_in` or in `parallel!`",
    label = "cannot start without a scope"
)]
pub trait Detachable {}

/// See [`Detachable`], which it does not implement.
#[derive(Debug)]
pub struct MutBorrow;

/// How a function is started that is called with an `E` and returns an `R`.
type Start<E, R> =
    fn(E, &Spec, Options, fn(<E as Crossing>::Received) -> R) -> Result<Process<R>, SpawnError>;

/// How a result is had. Kept as a function, so that `R` is asked to be fit in one place: where a call is made.
pub(crate) type Join<R> = fn(Process<R>) -> Result<R, ProcessError>;

/// The same for a result that did not come from a process of its own; if it cannot be decoded, the reason.
pub(crate) type Open<R> = fn(&[u8]) -> Result<R, String>;

/// What is known of a function's types where a call is made, and not later.
pub(super) struct Ways<E: Crossing, R> {
    pub(super) start: Start<E, R>,
    pub(super) join: Join<R>,
    pub(super) runner: RunBy,
    pub(super) open: Open<R>,
}

/// A function and its arguments, whatever these are.
trait Prepared<R> {
    fn start(self: Box<Self>, options: Options) -> Result<Process<R>, SpawnError>;
    fn pack(&self, buffer: &mut Vec<u8>) -> Result<(), String>;
}

struct With<E: Crossing, R> {
    spec: &'static Spec,
    args: E,
    function: fn(E::Received) -> R,
    start: Start<E, R>,
}

impl<E: Crossing, R> Prepared<R> for With<E, R> {
    fn start(self: Box<Self>, options: Options) -> Result<Process<R>, SpawnError> {
        (self.start)(self.args, self.spec, options, self.function)
    }

    fn pack(&self, buffer: &mut Vec<u8>) -> Result<(), String> {
        packed::pack(&self.args, buffer)
    }
}

/// A function and its arguments. Nothing runs before it is started, so it may be dropped or leaked.
pub struct Call<'a, R> {
    spec: &'static Spec,
    prepared: Box<dyn Prepared<R> + 'a>,
    function: *const (),
    runner: Runner,
    pub(crate) join: Join<R>,
    pub(crate) open: Open<R>,
}

impl<R> fmt::Debug for Call<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("name", &self.spec.name).finish_non_exhaustive()
    }
}

/// Puts a function and its arguments together.
pub fn call<'a, E, A, R>(spec: &'static Spec, args: E, f: fn(A) -> R) -> Call<'a, R>
where
    E: Crossing<Received = A> + 'a,
    A: 'static,
    R: Returns,
{
    let (start, runner) = (E::start::<R>, E::runner::<R>());
    Call::new(spec, args, f, &Ways { start, join: Process::join, runner, open: packed::answered })
}

impl<'a, R: 'static> Call<'a, R> {
    pub(super) fn new<E: Crossing + 'a>(
        spec: &'static Spec,
        args: E,
        function: fn(E::Received) -> R,
        ways: &Ways<E, R>,
    ) -> Self {
        let &Ways { start, join, runner: RunBy(runner), open } = ways;
        let prepared = Box::new(With { spec, args, function, start });
        Self { spec, prepared, function: function as *const (), runner, join, open }
    }
}

/// For whoever has another process run it.
impl<R> Call<'_, R> {
    /// The name of its processes.
    pub(crate) const fn name(&self) -> &'static str {
        self.spec.name
    }

    /// How its process wants to be started.
    pub(crate) const fn start_method(&self) -> Option<StartMethod> {
        self.spec.start_method
    }

    /// Whether its process is to be a daemon.
    pub(crate) fn is_daemon(&self) -> bool {
        self.spec.daemon == Some(true)
    }

    /// What calls the function there, and the function.
    pub(crate) const fn code(&self) -> (Runner, *const ()) {
        (self.runner, self.function)
    }

    /// Puts the arguments behind what is in the buffer; if they cannot be encoded, the reason.
    pub(crate) fn pack(&self, buffer: &mut Vec<u8>) -> Result<(), String> {
        self.prepared.pack(buffer)
    }
}

impl<R: 'static> Call<'_, R> {
    /// Starts it in a process of its own.
    ///
    /// # Errors
    /// As [`spawn`](super::spawn()).
    pub fn spawn(self, options: Options) -> Result<Process<R>, SpawnError> {
        self.prepared.start(options)
    }

    /// Starts it in a process that the scope waits for.
    ///
    /// # Errors
    /// As [`spawn`](super::spawn()).
    pub fn spawn_in<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        options: Options,
    ) -> Result<Process<R>, SpawnError>
    where
        Self: 'scope,
    {
        let process = self.prepared.start(options)?;
        scope.add(&process);
        Ok(process)
    }

    /// Starts it in a process of its own and waits for the result.
    ///
    /// # Errors
    /// As [`Process::join`], and if it cannot be started.
    #[track_caller]
    pub fn run(self, options: Options) -> Result<R, ProcessError> {
        let (name, join) = (self.name(), self.join);
        match self.prepared.start(Options { until_end: true, ..options }) {
            Ok(process) => {
                // Here, where the caller is known.
                process.wait();
                join(process)
            }
            Err(error) => Err(ProcessError::NotStarted { error, name: name.to_owned() }),
        }
    }
}
