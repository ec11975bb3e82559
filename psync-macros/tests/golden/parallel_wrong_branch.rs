fn value() {
    let value = {
        if false {
            let _ = ::psync::__private::one("ring", ring::__call(&farm));
            let _ = farm.ring();
        }
        ::core::compile_error! {
            "a method cannot be started; write `process(captures) { .. }` with the call in its body, or a `#[process]` function"
        }
    };
}
