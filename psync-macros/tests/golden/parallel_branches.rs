fn value() {
    let value = ::psync::__private::parallel(
        ::psync::__private::Settings::new(),
        (
            ::psync::__private::each(
                "monkey",
                names.iter().enumerate(),
                |(i, name)| monkey::__call(&farm, name.to_string(), i),
            ),
            ::psync::__private::one("sum", sum::__call::<u64>(&values)),
        ),
    );
}
