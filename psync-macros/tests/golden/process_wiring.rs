#[allow(
    clippy::significant_drop_tightening,
    reason = "the lock is held for the whole body"
)]
fn monkey(farm: &Farm) {
    renamed::__private::wait(&farm.bell);
    let guard1 = renamed::__private::acquire(&farm.swings);
    renamed::__private::barrier(&farm.gate);
    let mut total = renamed::__private::lock(&farm.total);
    let _ = &mut total;
    let guard4 = renamed::__private::lock(&farm.pen);
    let guard5 = renamed::__private::set_after(&farm.done);
    *total += 1;
}
/// Starts the function `monkey` in processes of its own.
enum monkey {}
impl monkey {
    const __START_METHOD: renamed::__private::StartMethod = StartMethod::Spawn;
    const __SPEC: renamed::__private::Spec = renamed::__private::Spec {
        name: "ape",
        daemon: ::core::option::Option::Some(true),
        start_method: ::core::option::Option::Some(Self::__START_METHOD),
    };
    fn __entry(args: (renamed::__private::Lent<'static, Farm>,)) -> () {
        let (arg0,) = args;
        monkey(arg0.get())
    }
    fn __prepare<'scope>(
        __arg0: renamed::__private::Lent<'scope, Farm>,
    ) -> renamed::__private::Call<'scope, ()> {
        renamed::__private::call1::<_, _, ()>(&Self::__SPEC, __arg0, Self::__entry)
    }
    #[doc(hidden)]
    fn __call<'scope>(farm: &'scope Farm) -> renamed::__private::Call<'scope, ()> {
        Self::__prepare(renamed::__private::Lent::new(farm))
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    fn spawn_in<'scope>(
        scope: &'scope renamed::__private::Scope<'scope, '_>,
        farm: &'scope Farm,
    ) -> ::core::result::Result<
        renamed::__private::Process<()>,
        renamed::__private::SpawnError,
    > {
        renamed::__private::Call::spawn_in(
            Self::__call(farm),
            scope,
            renamed::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    fn spawn(
        farm: &(impl renamed::__private::Lends<Farm> + ?::core::marker::Sized),
    ) -> ::core::result::Result<
        renamed::__private::Process<()>,
        renamed::__private::SpawnError,
    > {
        Self::spawn_with(renamed::__private::Options::new(), farm)
    }
    /// Starts the function in a process of its own, with options for this start.
    fn spawn_with(
        options: renamed::__private::Options,
        farm: &(impl renamed::__private::Lends<Farm> + ?::core::marker::Sized),
    ) -> ::core::result::Result<
        renamed::__private::Process<()>,
        renamed::__private::SpawnError,
    > {
        renamed::__private::Call::spawn(
            Self::__prepare(renamed::__private::Lent::of_owner(farm)),
            options,
        )
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    fn run(
        farm: &(impl renamed::__private::Lends<Farm> + ?::core::marker::Sized),
    ) -> ::core::result::Result<(), renamed::__private::ProcessError> {
        renamed::__private::Call::run(
            Self::__prepare(renamed::__private::Lent::of_owner(farm)),
            renamed::__private::Options::new(),
        )
    }
}
