#[allow(
    clippy::needless_pass_by_value,
    reason = "arguments by value are what crosses to another process"
)]
fn scale<T, const N: usize>(part: &mut [T], by: &[T; N], seed: Vec<T>) -> T
where
    T: Copy,
{
    seed[N]
}
/// Starts the function `scale` in processes of its own.
enum scale {}
impl scale {
    const __SPEC: ::psync::__private::Spec = ::psync::__private::Spec {
        name: "scale",
        daemon: ::core::option::Option::None,
        start_method: ::core::option::Option::None,
    };
    fn __entry<T, const N: usize>(
        args: (
            ::psync::__private::LentMut<'static, [T]>,
            ::psync::__private::Lent<'static, [T; N]>,
            Vec<T>,
        ),
    ) -> T
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        let (arg0, arg1, arg2) = args;
        scale::<T, N>(arg0.get(), arg1.get(), arg2)
    }
    fn __prepare<'scope, T, const N: usize>(
        __arg0: ::psync::__private::LentMut<'scope, [T]>,
        __arg1: ::psync::__private::Lent<'scope, [T; N]>,
        __arg2: Vec<T>,
    ) -> ::psync::__private::Call<'scope, T>
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::call3::<
            _,
            _,
            _,
            _,
            _,
            _,
            T,
        >(
            &Self::__SPEC,
            __arg0,
            __arg1,
            ::psync::__private::Owned(__arg2),
            Self::__entry::<T, N>,
        )
    }
    #[doc(hidden)]
    fn __call<'scope, T, const N: usize>(
        part: &'scope mut [T],
        by: &'scope [T; N],
        seed: Vec<T>,
    ) -> ::psync::__private::Call<'scope, T>
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        Self::__prepare(
            ::psync::__private::LentMut::new(part),
            ::psync::__private::Lent::new(by),
            seed,
        )
    }
    /// Starts the function in a process that ends before the scope does; it may borrow until then.
    fn spawn_in<'scope, T, const N: usize>(
        scope: &'scope ::psync::__private::Scope<'scope, '_>,
        part: &'scope mut [T],
        by: &'scope [T; N],
        seed: Vec<T>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
    {
        ::psync::__private::Call::spawn_in(
            Self::__call(part, by, seed),
            scope,
            ::psync::__private::Options::new(),
        )
    }
    /// Starts the function in a process of its own.
    fn spawn<T, const N: usize>(
        part: &mut [T],
        by: &(impl ::psync::__private::Lends<[T; N]> + ?::core::marker::Sized),
        seed: Vec<T>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
        for<'never> ::psync::__private::MutBorrow: ::psync::__private::Detachable,
    {
        ::core::unreachable!()
    }
    /// Starts the function in a process of its own, with options for this start.
    fn spawn_with<T, const N: usize>(
        options: ::psync::__private::Options,
        part: &mut [T],
        by: &(impl ::psync::__private::Lends<[T; N]> + ?::core::marker::Sized),
        seed: Vec<T>,
    ) -> ::core::result::Result<
        ::psync::__private::Process<T>,
        ::psync::__private::SpawnError,
    >
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
        for<'never> ::psync::__private::MutBorrow: ::psync::__private::Detachable,
    {
        ::core::unreachable!()
    }
    /// Starts the function in a process of its own and waits for its result.
    #[track_caller]
    fn run<T, const N: usize>(
        part: &mut [T],
        by: &(impl ::psync::__private::Lends<[T; N]> + ?::core::marker::Sized),
        seed: Vec<T>,
    ) -> ::core::result::Result<T, ::psync::__private::ProcessError>
    where
        T: Copy,
        [T]: ::psync::__private::LendMut + 'static,
        [T; N]: ::psync::__private::Lend + 'static,
        Vec<T>: ::psync::__private::Crosses + 'static,
        T: ::psync::__private::Returns,
        for<'never> ::psync::__private::MutBorrow: ::psync::__private::Detachable,
    {
        ::core::unreachable!()
    }
}
