fn work() -> Result<u32, String> {
    Ok(1)
}
/// Starts the function `work` in processes of its own.
enum work {}
impl work {
    const __START_METHOD: renamed::__private::StartMethod = StartMethod::Spawn;
    const __SPEC: renamed::__private::Spec = renamed::__private::Spec {
        name: "one of many",
        daemon: ::core::option::Option::Some(true),
        start_method: ::core::option::Option::Some(Self::__START_METHOD),
    };
    fn __entry(args: ()) -> Result<u32, String> {
        let () = args;
        work()
    }
    fn __prepare<'scope>() -> renamed::__private::Call<'scope, Result<u32, String>> {
        renamed::__private::call0::<Result<u32, String>>(&Self::__SPEC, Self::__entry)
    }
    #[doc(hidden)]
    fn __call<'scope>() -> renamed::__private::Call<'scope, Result<u32, String>> {
        Self::__prepare()
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    fn spawn_in<'scope>(
        scope: &'scope renamed::__private::Scope<'scope, '_>,
    ) -> ::core::result::Result<
        renamed::__private::Process<Result<u32, String>>,
        renamed::__private::SpawnError,
    > {
        renamed::__private::Call::spawn_in(
            Self::__call(),
            scope,
            renamed::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    fn spawn() -> ::core::result::Result<
        renamed::__private::Process<Result<u32, String>>,
        renamed::__private::SpawnError,
    > {
        Self::spawn_with(renamed::__private::Options::new())
    }
    /// Starts the function in a process of its own, with options for this start.
    fn spawn_with(
        options: renamed::__private::Options,
    ) -> ::core::result::Result<
        renamed::__private::Process<Result<u32, String>>,
        renamed::__private::SpawnError,
    > {
        renamed::__private::Call::spawn(Self::__prepare(), options)
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    fn run() -> ::core::result::Result<
        Result<u32, String>,
        renamed::__private::ProcessError,
    > {
        renamed::__private::Call::run(
            Self::__prepare(),
            renamed::__private::Options::new(),
        )
    }
}
