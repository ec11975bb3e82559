#[allow(
    clippy::needless_pass_by_value,
    reason = "arguments by value are what crosses to another process"
)]
fn work(farm: &Farm, n: u32) -> u32 {
    n
}
/// Starts the function `work` in processes of its own.
enum work {}
impl work {
    fn spawn(
        farm: &Farm,
        n: u32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        ::core::unreachable!()
    }
    fn spawn_with(
        options: ::psync::__private::Options,
        farm: &Farm,
        n: u32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        ::core::unreachable!()
    }
    fn run(
        farm: &Farm,
        n: u32,
    ) -> ::core::result::Result<u32, ::psync::__private::ProcessError> {
        ::core::unreachable!()
    }
    fn spawn_in(
        scope: &::psync::__private::Scope<'_, '_>,
        farm: &Farm,
        n: u32,
    ) -> ::core::result::Result<
        ::psync::__private::Process<u32>,
        ::psync::__private::SpawnError,
    > {
        ::core::unreachable!()
    }
    #[doc(hidden)]
    fn __call(farm: &Farm, n: u32) -> ::psync::__private::Call<'static, u32> {
        ::core::unreachable!()
    }
}
::core::compile_error! {
    "not a value of `daemon`; write `daemon = false`"
}
::core::compile_error! {
    "unknown option `nmae`, did you mean `name`? `#[process]` takes `wait`, `acquire`, `barrier`, `lock`, `set`, `name`, `daemon`, `start_method` and `crate`"
}
