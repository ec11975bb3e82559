//! The half of the stand-in that lends, carries and starts.

use super::*;

// ---- lending

/// What can be lent to another process.
pub trait Lend {}
impl<T: ShmSafe> Lend for T {}
impl<T: ShmSafe> Lend for [T] {}
impl Lend for str {}
impl<T: ?Sized> Lend for Shared<T> {}
pub trait LendMut {}
impl<T: ShmSafe> LendMut for T {}
impl<T: ShmSafe> LendMut for [T] {}

/// A handle that keeps a `T` alive, so that it may be lent without waiting for the borrow to end.
#[diagnostic::on_unimplemented(
    message = "this start does not wait for the process, so it cannot borrow from `{Self}`",
    label = "expected `Shared<{T}>`",
    note = "pass the handle, or start the process with `spawn_in` or in `parallel!`, which may borrow"
)]
pub trait Lends<T: ?Sized> {
    fn lend(&self) -> &T;
}
impl<T: ?Sized> Lends<T> for Shared<T> {
    fn lend(&self) -> &T {
        self
    }
}
impl<T: ?Sized> Lends<Shared<T>> for Shared<T> {
    fn lend(&self) -> &Shared<T> {
        self
    }
}
impl<T: ?Sized, O: Lends<T> + ?Sized> Lends<T> for &O {
    fn lend(&self) -> &T {
        (**self).lend()
    }
}

pub struct Lent<'a, T: ?Sized>(&'a T);
impl<'a, T: ?Sized> Lent<'a, T> {
    pub fn new(value: &'a T) -> Self {
        Self(value)
    }
    pub fn of_owner(owner: &'a (impl Lends<T> + ?Sized)) -> Self {
        Self(owner.lend())
    }
    pub fn get(&self) -> &'static T {
        unsafe { &*std::ptr::from_ref(self.0) }
    }
}
pub struct LentMut<'a, T: ?Sized>(&'a mut T);
impl<'a, T: ?Sized> LentMut<'a, T> {
    pub fn new(value: &'a mut T) -> Self {
        Self(value)
    }
    pub fn get(self) -> &'static mut T {
        unsafe { &mut *std::ptr::from_mut(self.0) }
    }
}

// ---- what crosses

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross to another process",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to its definition, or lend it as `&{Self}` from shared memory"
)]
pub trait Crosses: Serialize + DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Crosses for T {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot come back from another process",
    label = "needs serde's `Serialize` and `Deserialize`",
    note = "a result is `Serialize + DeserializeOwned + Send + 'static`"
)]
pub trait Returns: Serialize + DeserializeOwned + Send + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Returns for T {}

/// By value, on its way.
pub struct Owned<T>(pub T);

/// One argument on its way, and what it is on arrival.
pub trait Argument {
    type Received;
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
pub trait Crossing {
    type Received;
}
macro_rules! crossing {
    ($($name:ident)*) => {
        impl<$($name: Argument),*> Crossing for ($($name,)*) { type Received = ($($name::Received,)*); }
    };
}
crossing!();
crossing!(A);
crossing!(A B);
crossing!(A B C);
crossing!(A B C D);
crossing!(A B C D E);

// ---- starting

pub struct Spec {
    pub name: &'static str,
    pub daemon: Option<bool>,
    pub start_method: Option<StartMethod>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartMethod {
    ForkServer,
    Spawn,
}
#[derive(Default)]
pub struct Options;
impl Options {
    pub fn new() -> Self {
        Self
    }
}
#[derive(Debug)]
pub struct SpawnError;
#[derive(Debug)]
pub struct ProcessError;
#[derive(Debug)]
pub struct ParallelError;
impl std::fmt::Display for ParallelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a branch failed")
    }
}
impl std::error::Error for ParallelError {}
pub struct Process<R>(pub R);
impl<R> Process<R> {
    pub fn join(self) -> Result<R, ProcessError> {
        Ok(self.0)
    }
}
pub struct Scope<'scope, 'env: 'scope>(PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>);
pub fn scope<'env, T>(f: impl for<'s> FnOnce(&'s Scope<'s, 'env>) -> T) -> T {
    f(&Scope(PhantomData))
}

#[diagnostic::on_unimplemented(
    message = "this function borrows with `&mut`, so its end must be awaited; start it with `spawn_in` or in `parallel!`",
    label = "cannot start without a scope"
)]
pub trait Detachable {}
pub struct MutBorrow;

/// A function and its arguments, ready to be started. Nothing runs before it is, so it may be dropped or leaked.
pub struct Call<'a, R>(Box<dyn FnOnce() -> R + 'a>);

fn call<'a, E, A, R>(spec: &'static Spec, args: E, f: fn(A) -> R) -> Call<'a, R>
where
    E: Crossing<Received = A> + 'a,
    A: 'static,
    R: Returns,
{
    Call(Box::new(move || {
        log(format!("start {}", spec.name));
        f(arrive(args))
    }))
}

/// The same tuple but for its lifetimes, which is what crossing comes to inside one process.
fn arrive<E: Crossing>(args: E) -> E::Received {
    let received = unsafe { std::mem::transmute_copy::<E, E::Received>(&args) };
    std::mem::forget(args);
    received
}

impl<'a, R: 'static> Call<'a, R> {
    pub fn spawn(self, _: Options) -> Result<Process<R>, SpawnError> {
        Ok(Process((self.0)()))
    }
    pub fn spawn_in<'s>(self, _: &'s Scope<'s, '_>, _: Options) -> Result<Process<R>, SpawnError>
    where
        'a: 's,
    {
        Ok(Process((self.0)()))
    }
    pub fn run(self, _: Options) -> Result<R, ProcessError> {
        Ok((self.0)())
    }
}

// ---- parallel!

#[derive(Default)]
pub struct Settings;
impl Settings {
    pub fn new() -> Self {
        Self
    }
    pub fn deadline(self, _: Duration) -> Self {
        self
    }
    pub fn grace(self, _: Duration) -> Self {
        self
    }
    pub fn on_failure(self, _: OnFailure) -> Self {
        self
    }
    pub fn start_method(self, _: StartMethod) -> Self {
        self
    }
    pub fn workers(self, _: usize) -> Self {
        self
    }
    pub fn chunk(self, _: usize) -> Self {
        self
    }
    pub fn progress(self, _: bool) -> Self {
        self
    }
}
pub enum OnFailure {
    Cancel,
    Finish,
}

pub trait Branches {
    type Output;
    fn run(self) -> Self::Output;
}
pub struct One<'a, R>(&'static str, Call<'a, R>);
pub struct Each<I, F>(&'static str, I, F);
pub fn one<'a, R>(name: &'static str, call: Call<'a, R>) -> One<'a, R> {
    One(name, call)
}
pub fn each<'a, I, F, R>(name: &'static str, items: I, start: F) -> Each<I, F>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Call<'a, R>,
{
    Each(name, items, start)
}
impl<R> Branches for One<'_, R> {
    type Output = R;
    fn run(self) -> R {
        log(format!("branch {}", self.0));
        (self.1.0)()
    }
}
impl<'a, I: IntoIterator, F: FnMut(I::Item) -> Call<'a, R>, R> Branches for Each<I, F> {
    type Output = Vec<R>;
    fn run(self) -> Vec<R> {
        log(format!("branch {}", self.0));
        self.1.into_iter().map(self.2).map(|call| (call.0)()).collect()
    }
}
macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Branches),*> Branches for ($($name,)*) {
            type Output = ($($name::Output,)*);
            #[allow(non_snake_case, reason = "a type and its value share a name")]
            fn run(self) -> Self::Output {
                let ($($name,)*) = self;
                ($($name.run(),)*)
            }
        }
    };
}
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);

pub fn parallel<B: Branches>(_: Settings, branches: B) -> Result<B::Output, ParallelError> {
    Ok(branches.run())
}

// ---- inline blocks

pub trait CloneCapture: ToOwned {
    fn __clone_capture(&self) -> Owned<Self::Owned> {
        Owned(self.to_owned())
    }
}
impl<T: ToOwned + ?Sized> CloneCapture for T {}
pub trait LendCapture: Lend {
    fn __lend_capture(&self) -> Lent<'_, Self> {
        Lent::new(self)
    }
}
impl<T: Lend + ?Sized> LendCapture for T {}
fn block<'a, E: Crossing + 'a, R: Returns>(args: E, f: fn(E::Received) -> R) -> Call<'a, R> {
    Call(Box::new(move || f(arrive(args))))
}

macro_rules! calls {
    ($($call:ident $block:ident ($($sent:ident $received:ident),*))+) => {$(
        #[allow(non_snake_case, reason = "a type and its value share a name")]
        pub fn $call<'a, $($sent, $received,)* R>(
            spec: &'static Spec,
            $($sent: $sent,)*
            f: fn(($($received,)*)) -> R,
        ) -> Call<'a, R>
        where
            $($sent: Argument<Received = $received> + 'a, $received: 'static,)*
            R: Returns,
        {
            call(spec, ($($sent,)*), f)
        }

        #[allow(non_snake_case, reason = "a type and its value share a name")]
        pub mod $block {
            pub fn captures_are_listed<'a, $($sent, $received,)* R: super::Returns>(
                $($sent: $sent,)*
                f: fn(($($received,)*)) -> R,
            ) -> super::Call<'a, R>
            where
                $($sent: super::Argument<Received = $received> + 'a, $received: 'static,)*
            {
                super::block(($($sent,)*), f)
            }
        }
    )+};
}
calls! {
    call0 block0 ()
    call1 block1 (A A2)
    call2 block2 (A A2, B B2)
    call3 block3 (A A2, B B2, C C2)
    call4 block4 (A A2, B B2, C C2, D D2)
    call5 block5 (A A2, B B2, C C2, D D2, E E2)
}
