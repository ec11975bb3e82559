#[allow(
    clippy::needless_pass_by_value,
    reason = "arguments by value are what crosses to another process"
)]
fn sum<T, const N: usize>(values: &[[T; N]], tag: Tag<N>) -> T
where
    T: Copy,
{
    values[0][0]
}
/// Starts the function `sum` in processes of its own.
enum sum {}
impl sum {
    const __SPEC: ::psync::__private::Spec = ::psync::__private::Spec {
        name: "sum",
        daemon: ::core::option::Option::None,
        start_method: ::core::option::Option::None,
    };
    fn __entry<T, const N: usize>(
        args: (::psync::__private::Lent<'static, [[T; N]]>, Tag<N>),
    ) -> T
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        let (arg0, arg1) = args;
        sum::<T, N>(arg0.get(), arg1)
    }
    fn __prepare<'scope, T, const N: usize>(
        __arg0: ::psync::__private::Lent<'scope, [[T; N]]>,
        __arg1: Tag<N>,
    ) -> ::psync::__private::Call<'scope, T>
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::call2::<
            _,
            _,
            _,
            _,
            T,
        >(
            &Self::__SPEC,
            __arg0,
            ::psync::__private::Owned(__arg1),
            Self::__entry::<T, N>,
        )
    }
    #[doc(hidden)]
    fn __call<'scope, T, const N: usize>(
        values: &'scope [[T; N]],
        tag: Tag<N>,
    ) -> ::psync::__private::Call<'scope, T>
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        Self::__prepare(::psync::__private::Lent::new(values), tag)
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    fn spawn_in<'scope, T, const N: usize>(
        scope: &'scope ::psync::__private::Scope<'scope, '_>,
        values: &'scope [[T; N]],
        tag: Tag<N>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::Call::spawn_in(
            Self::__call(values, tag),
            scope,
            ::psync::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    fn spawn<T, const N: usize>(
        values: &(impl ::psync::__private::Lends<[[T; N]]> + ?::core::marker::Sized),
        tag: Tag<N>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        Self::spawn_with(::psync::__private::Options::new(), values, tag)
    }
    /// Starts the function in a process of its own, with options for this start.
    fn spawn_with<T, const N: usize>(
        options: ::psync::__private::Options,
        values: &(impl ::psync::__private::Lends<[[T; N]]> + ?::core::marker::Sized),
        tag: Tag<N>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::Call::spawn(
            Self::__prepare(::psync::__private::Lent::of_owner(values), tag),
            options,
        )
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    fn run<T, const N: usize>(
        values: &(impl ::psync::__private::Lends<[[T; N]]> + ?::core::marker::Sized),
        tag: Tag<N>,
    ) -> ::core::result::Result<T, ::psync::__private::ProcessError>
    where
        T: Copy,
        [[T; N]]: ::psync::__private::Lend + 'static,
        Tag<N>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::Call::run(
            Self::__prepare(::psync::__private::Lent::of_owner(values), tag),
            ::psync::__private::Options::new(),
        )
    }
}
