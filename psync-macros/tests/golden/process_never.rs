#[allow(
    clippy::needless_pass_by_value,
    reason = "arguments by value are what crosses to another process"
)]
pub fn leave(code: i32) -> ! {
    std::process::exit(code)
}
/// Starts the function `leave` in processes of its own.
pub enum leave {}
impl leave {
    const __SPEC: ::psync::__private::Spec = ::psync::__private::Spec {
        name: "leave",
        daemon: ::core::option::Option::None,
        start_method: ::core::option::Option::None,
    };
    fn __entry(args: (i32,)) -> ::psync::__private::Never {
        let (arg0,) = args;
        leave(arg0)
    }
    fn __prepare<'scope>(
        __arg0: i32,
    ) -> ::psync::__private::Call<'scope, ::psync::__private::Never> {
        ::psync::__private::call1::<
            _,
            _,
            ::psync::__private::Never,
        >(&Self::__SPEC, ::psync::__private::Owned(__arg0), Self::__entry)
    }
    #[doc(hidden)]
    pub fn __call<'scope>(
        code: i32,
    ) -> ::psync::__private::Call<'scope, ::psync::__private::Never> {
        Self::__prepare(code)
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    pub fn spawn_in<'scope>(
        scope: &'scope ::psync::__private::Scope<'scope, '_>,
        code: i32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<::psync::__private::Never>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn_in(
            Self::__call(code),
            scope,
            ::psync::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    pub fn spawn(
        code: i32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<::psync::__private::Never>,
        ::psync::__private::SpawnError,
    > {
        Self::spawn_with(::psync::__private::Options::new(), code)
    }
    /// Starts the function in a process of its own, with options for this start.
    pub fn spawn_with(
        options: ::psync::__private::Options,
        code: i32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<::psync::__private::Never>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn(Self::__prepare(code), options)
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    pub fn run(
        code: i32,
    ) -> ::core::result::Result<
        ::psync::__private::Never,
        ::psync::__private::ProcessError,
    > {
        ::psync::__private::Call::run(
            Self::__prepare(code),
            ::psync::__private::Options::new(),
        )
    }
}
