enum Shape {
    Point,
    Circle(f64),
}
unsafe impl ::core::marker::Send for Shape {}
unsafe impl ::core::marker::Sync for Shape {}
unsafe impl ::psync::__private::ShmSafe for Shape {
    const FINGERPRINT: u64 = 0;
}
unsafe impl ::psync::__private::Zeroable for Shape {}
::core::compile_error! {
    "a fieldless enum has no use for generic parameters; leave them out"
}
::core::compile_error! {
    "a writer that is killed half-way would leave one variant with the data of another; write a struct with a fieldless `#[shared]` enum and the data as fields"
}
