fn value() {
    let value = ::psync::__private::parallel(
        <::psync::__private::Settings as ::core::default::Default>::default(),
        ::psync::__private::one("ring", m::ring::__call(&farm)),
    );
}
