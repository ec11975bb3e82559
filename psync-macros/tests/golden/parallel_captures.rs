fn value() {
    let value = ::psync::__private::parallel(
        ::psync::__private::Settings::new(),
        ::psync::__private::each(
            "process",
            names,
            |(i, name)| ::psync::__private::block4::captures_are_listed(
                {
                    use ::psync::__private::CloneCapture as _;
                    i.__clone_capture()
                },
                {
                    use ::psync::__private::CloneCapture as _;
                    name.__clone_capture()
                },
                {
                    use ::psync::__private::LendCapture as _;
                    farm.__lend_capture()
                },
                {
                    use ::psync::__private::CloneCapture as _;
                    limit.__clone_capture()
                },
                |(i, name, farm, limit)| {
                    let farm = farm.get();
                    farm.feed(i)
                },
            ),
        ),
    );
}
