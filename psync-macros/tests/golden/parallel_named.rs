fn value() {
    let value = renamed::__private::parallel(
            renamed::__private::Settings::new()
                .deadline(Duration::from_secs(3))
                .grace(GRACE)
                .on_failure(renamed::__private::OnFailure::Finish)
                .start_method(StartMethod::Spawn),
            (
                renamed::__private::each(
                    "turns",
                    NAMES,
                    |name| monkey::__call(&farm, name),
                ),
                renamed::__private::one("bell", ring::__call(&farm)),
            ),
        )
        .map(|(value0, value1)| {
            #[derive(::core::fmt::Debug)]
            struct Output<T0, T1> {
                turns: T0,
                bell: T1,
            }
            Output {
                turns: value0,
                bell: value1,
            }
        });
}
