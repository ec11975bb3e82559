fn value() {
    let value = {
        ::core::compile_error! {
            "unknown option `wrokers`, did you mean `workers`? `parallel!` takes `workers`, `chunk`, `deadline`, `grace`, `on_failure`, `start_method`, `progress` and `crate`"
        }
        ::psync::__private::parallel(
            ::psync::__private::Settings::new(),
            ::psync::__private::one("ring", ring::__call(&farm)),
        )
    };
}
