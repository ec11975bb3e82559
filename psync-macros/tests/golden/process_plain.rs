#[cfg(unix)]
#[inline]
fn work() {}
#[cfg(unix)]
/// Starts the function `work` in processes of its own.
enum work {}
#[cfg(unix)]
impl work {
    const __SPEC: ::psync::__private::Spec = ::psync::__private::Spec {
        name: "work",
        daemon: ::core::option::Option::None,
        start_method: ::core::option::Option::None,
    };
    fn __entry(args: ()) -> () {
        let () = args;
        work()
    }
    fn __prepare<'scope>() -> ::psync::__private::Call<'scope, ()> {
        ::psync::__private::call0::<()>(&Self::__SPEC, Self::__entry)
    }
    #[doc(hidden)]
    fn __call<'scope>() -> ::psync::__private::Call<'scope, ()> {
        Self::__prepare()
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    fn spawn_in<'scope>(
        scope: &'scope ::psync::__private::Scope<'scope, '_>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<()>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn_in(
            Self::__call(),
            scope,
            ::psync::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    fn spawn() -> ::core::result::Result<
        ::psync::__private::Process<()>,
        ::psync::__private::SpawnError,
    > {
        Self::spawn_with(::psync::__private::Options::new())
    }
    /// Starts the function in a process of its own, with options for this start.
    fn spawn_with(
        options: ::psync::__private::Options,
    ) -> ::core::result::Result<
        ::psync::__private::Process<()>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn(Self::__prepare(), options)
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    fn run() -> ::core::result::Result<(), ::psync::__private::ProcessError> {
        ::psync::__private::Call::run(
            Self::__prepare(),
            ::psync::__private::Options::new(),
        )
    }
}
