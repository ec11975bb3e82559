/// How often it was asked for.
#[allow(dead_code)]
pub(crate) static HITS: renamed::__private::SharedStatic<Value<u64>> = renamed::__private::SharedStatic::new(
    renamed::__private::fits::<Value<u64>>(),
    "HITS",
    || -> Value<u64> { Value::new(0) },
);
