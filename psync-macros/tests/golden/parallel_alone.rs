fn value() {
    let value = ::psync::__private::parallel(
        ::psync::__private::Settings::new(),
        ::psync::__private::one("ring", m::ring::__call(&farm)),
    );
}
