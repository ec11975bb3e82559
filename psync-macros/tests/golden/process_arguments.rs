/// Swings.
#[allow(
    clippy::needless_pass_by_value,
    reason = "arguments by value are what crosses to another process"
)]
pub(crate) fn monkey(farm: &Farm, mut name: String, greeting: &str, _: u8) -> u32 {
    name.len() as u32
}
/// Starts the function `monkey` in processes of its own.
pub(crate) enum monkey {}
impl monkey {
    const __SPEC: ::psync::__private::Spec = ::psync::__private::Spec {
        name: "monkey",
        daemon: ::core::option::Option::None,
        start_method: ::core::option::Option::None,
    };
    fn __entry(
        args: (
            ::psync::__private::Lent<'static, Farm>,
            String,
            ::psync::__private::Lent<'static, str>,
            u8,
        ),
    ) -> u32 {
        let (arg0, arg1, arg2, arg3) = args;
        monkey(arg0.get(), arg1, arg2.get(), arg3)
    }
    fn __prepare<'scope>(
        __arg0: ::psync::__private::Lent<'scope, Farm>,
        __arg1: String,
        __arg2: ::psync::__private::Lent<'scope, str>,
        __arg3: u8,
    ) -> ::psync::__private::Call<'scope, u32> {
        ::psync::__private::call4::<
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            u32,
        >(
            &Self::__SPEC,
            __arg0,
            ::psync::__private::Owned(__arg1),
            __arg2,
            ::psync::__private::Owned(__arg3),
            Self::__entry,
        )
    }
    #[doc(hidden)]
    pub(crate) fn __call<'scope>(
        farm: &'scope Farm,
        name: String,
        greeting: &'scope str,
        arg3: u8,
    ) -> ::psync::__private::Call<'scope, u32> {
        Self::__prepare(
            ::psync::__private::Lent::new(farm),
            name,
            ::psync::__private::Lent::new(greeting),
            arg3,
        )
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    pub(crate) fn spawn_in<'scope>(
        scope: &'scope ::psync::__private::Scope<'scope, '_>,
        farm: &'scope Farm,
        name: String,
        greeting: &'scope str,
        arg3: u8,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn_in(
            Self::__call(farm, name, greeting, arg3),
            scope,
            ::psync::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    pub(crate) fn spawn(
        farm: &(impl ::psync::__private::Lends<Farm> + ?::core::marker::Sized),
        name: String,
        greeting: &str,
        arg3: u8,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        Self::spawn_with(::psync::__private::Options::new(), farm, name, greeting, arg3)
    }
    /// Starts the function in a process of its own, with options for this start.
    pub(crate) fn spawn_with(
        options: ::psync::__private::Options,
        farm: &(impl ::psync::__private::Lends<Farm> + ?::core::marker::Sized),
        name: String,
        greeting: &str,
        arg3: u8,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        ::psync::__private::Call::spawn(
            Self::__prepare(
                ::psync::__private::Lent::of_owner(farm),
                name,
                ::psync::__private::Lent::new(greeting),
                arg3,
            ),
            options,
        )
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    pub(crate) fn run(
        farm: &(impl ::psync::__private::Lends<Farm> + ?::core::marker::Sized),
        name: String,
        greeting: &str,
        arg3: u8,
    ) -> ::core::result::Result<u32, ::psync::__private::ProcessError> {
        ::psync::__private::Call::run(
            Self::__prepare(
                ::psync::__private::Lent::of_owner(farm),
                name,
                ::psync::__private::Lent::new(greeting),
                arg3,
            ),
            ::psync::__private::Options::new(),
        )
    }
}
