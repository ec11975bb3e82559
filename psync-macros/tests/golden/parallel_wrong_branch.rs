fn value() {
    let value = {
        ::core::compile_error! {
            "a branch is `work(args)`, `for x in items => work(args)` or `process(captures) { .. }`"
        }
    };
}
