fn value() {
    let value = {
        ::core::compile_error! {
            "a method cannot be started; write `process(captures) { .. }` with the call in its body, or a `#[process]` function"
        }
    };
}
