fn value() {
    let value = ::psync::__private::parallel(
        ::psync::__private::Settings::new()
            .workers(psync::cpu_count())
            .chunk(8)
            .progress(true),
        ::psync::__private::each("hash", paths, |path| hash::__call(path)),
    );
}
