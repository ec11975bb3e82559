fn value() {
    let value = ::psync::__private::parallel(
        ::psync::__private::Settings::new(),
        (
            ::psync::__private::one(
                "process",
                ::psync::__private::block0::captures_are_listed(|()| { 1 }),
            ),
            ::psync::__private::each(
                "process",
                0..3,
                |n| ::psync::__private::block2::captures_are_listed(
                    {
                        use ::psync::__private::CloneCapture as _;
                        n.__clone_capture()
                    },
                    {
                        use ::psync::__private::LendCapture as _;
                        farm.__lend_capture()
                    },
                    |(n, farm)| {
                        let farm = farm.get();
                        farm.fed.update(|fed| fed + n)?
                    },
                ),
            ),
        ),
    );
}
