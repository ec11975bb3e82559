#[repr(C)]
struct Limits {
    most: u32,
}
const _: () = {
    unsafe impl renamed::__private::ShmSafe for Limits {
        const FINGERPRINT: u64 = renamed::__private::fingerprint(
            "Limits",
            &[
                (
                    "most",
                    renamed::__private::fingerprint_of::<u32>(),
                    ::core::mem::offset_of!(Self, most),
                ),
            ],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl renamed::__private::Zeroable for Limits
    where
        for<'holds> u32: renamed::__private::Zeroable,
    {}
    impl renamed::__private::SharedMemoryIsNeverDropped for Limits {}
};
