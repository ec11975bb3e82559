//! Inline blocks: what `process(captures) { .. }` of a `parallel!` comes down to.

use super::{
    Never, Options, Process, ProcessError, SpawnError,
    call::{Call, Crossing, Owned, Returns, Ways},
    packed::{self, RunBy},
    start::{Spec, spawn_diverging, spawn_spec},
};
use crate::shm::{Lend, Lent};

static SPEC: Spec = Spec { name: "process", daemon: None, start_method: None };

/// The type `!`, which stable Rust has but does not let one write everywhere.
type Diverges = <fn() -> ! as Function>::Output;

/// A way to name what a function returns.
#[doc(hidden)]
#[allow(unnameable_types, reason = "a step on the way to a name")]
pub trait Function {
    type Output;
}

impl<R> Function for fn() -> R {
    type Output = R;
}

/// How a block ends that returns a value. See [`Ends`].
#[derive(Debug)]
pub struct ByValue;

/// How a block ends that never returns. See [`Ends`].
#[derive(Debug)]
pub struct ByExit;

/// A value that a block can end with; or none at all, since a block may exit. `How` follows from the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot come back from another process",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "a result is `Serialize + DeserializeOwned + Send + 'static`"
)]
pub trait Ends<How>: Sized {
    #[doc(hidden)]
    fn start<E: Crossing>(
        args: E,
        spec: &Spec,
        options: Options,
        f: fn(E::Received) -> Self,
    ) -> Result<Process<Self>, SpawnError>;

    #[doc(hidden)]
    fn join(process: Process<Self>) -> Result<Self, ProcessError>;

    #[doc(hidden)]
    fn runner<E: Crossing>() -> RunBy;

    #[doc(hidden)]
    fn open(bytes: &[u8]) -> Result<Self, String>;
}

#[diagnostic::do_not_recommend]
impl<R: Returns> Ends<ByValue> for R {
    fn start<E: Crossing>(
        args: E,
        spec: &Spec,
        options: Options,
        f: fn(E::Received) -> R,
    ) -> Result<Process<R>, SpawnError> {
        spawn_spec(spec, options, f, args)
    }

    fn join(process: Process<R>) -> Result<R, ProcessError> {
        process.join()
    }

    fn runner<E: Crossing>() -> RunBy {
        E::runner::<R>()
    }

    fn open(bytes: &[u8]) -> Result<R, String> {
        packed::answered(bytes)
    }
}

#[diagnostic::do_not_recommend]
impl Ends<ByExit> for Diverges {
    fn start<E: Crossing>(
        args: E,
        spec: &Spec,
        options: Options,
        f: fn(E::Received) -> Self,
    ) -> Result<Process<Self>, SpawnError> {
        spawn_diverging(spec, options, f, args)
    }

    fn join(process: Process<Self>) -> Result<Self, ProcessError> {
        match process.returning::<Never>().join()? {}
    }

    fn runner<E: Crossing>() -> RunBy {
        E::diverging_runner()
    }

    fn open(bytes: &[u8]) -> Result<Self, String> {
        match packed::answered::<Never>(bytes)? {}
    }
}

/// Puts the body of a block and its captures together.
pub(super) fn block<'a, E, A, R, How>(args: E, f: fn(A) -> R) -> Call<'a, R>
where
    E: Crossing<Received = A> + 'a,
    A: 'static,
    R: Ends<How> + 'static,
{
    let ways = Ways { start: R::start, join: R::join, runner: R::runner::<E>(), open: R::open };
    Call::new(&SPEC, args, f, &ways)
}

/// What can be captured by its name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured by its name, since it cannot be cloned",
    label = "not `Clone`",
    note = "write `&name` to lend it, if it is in shared memory, or add `#[derive(Clone)]` to its definition"
)]
pub trait Cloned {
    /// What arrives.
    type Copy;
    #[doc(hidden)]
    fn copied(&self) -> Owned<Self::Copy>;
}

impl<T: ToOwned + ?Sized> Cloned for T {
    type Copy = T::Owned;

    fn copied(&self) -> Owned<T::Owned> {
        Owned(self.to_owned())
    }
}

/// A capture of an inline block, by value. A method, so that not a reference is cloned but what it refers to: a `&str` arrives as
/// a `String`, a slice as a `Vec`.
pub trait CloneCapture: Cloned {
    #[doc(hidden)]
    fn __clone_capture(&self) -> Owned<Self::Copy> {
        self.copied()
    }
}

impl<T: Cloned + ?Sized> CloneCapture for T {}

/// A capture of an inline block, by reference. Likewise a method.
pub trait LendCapture: Lend {
    #[doc(hidden)]
    fn __lend_capture(&self) -> Lent<'_, Self> {
        Lent::new(self)
    }
}

impl<T: Lend + ?Sized> LendCapture for T {}
