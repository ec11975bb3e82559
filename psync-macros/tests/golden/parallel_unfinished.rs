fn value() {
    let value = {
        if false {
            let _ = ::psync::__private::one("ring", ring::__call(&farm));
            let _ = ::psync::__private::each(
                "process",
                xs,
                |x| ::psync::__private::block1::captures_are_listed(
                    {
                        use ::psync::__private::CloneCapture as _;
                        x.__clone_capture()
                    },
                    |(x,)| { x },
                ),
            );
            let _ = farm.be;
        }
        ::core::compile_error! {
            "a method cannot be started; write `process(captures) { .. }` with the call in its body, or a `#[process]` function"
        }
    };
}
