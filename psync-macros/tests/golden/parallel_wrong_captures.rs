fn value() {
    let value = {
        if false {
            let _ = for n in names {
                let _ = || {
                    let farm = ({
                        use ::psync::__private::LendCapture as _;
                        farm.__lend_capture()
                    })
                        .get();
                    let n = ({
                        use ::psync::__private::CloneCapture as _;
                        n.__clone_capture()
                    })
                        .0;
                    let n = ({
                        use ::psync::__private::CloneCapture as _;
                        n.__clone_capture()
                    })
                        .0;
                    farm.feed(n)
                };
            };
            let _ = || { farm.bell };
        }
        ::core::compile_error! {
            "a capture is a name alone; bind the value with `let` before `parallel!`"
        }
        ::core::compile_error! {
            "a body needs its list of captures; write `process() { .. }`"
        }
    };
}
