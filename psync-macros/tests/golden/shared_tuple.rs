#[derive(Default)]
#[repr(align(64))]
#[repr(C)]
struct Pair(u32, pub f64);
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Pair {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Pair",
            &[
                (
                    "0",
                    ::psync::__private::fingerprint_of::<u32>(),
                    ::core::mem::offset_of!(Self, 0),
                ),
                (
                    "1",
                    ::psync::__private::fingerprint_of::<f64>(),
                    ::core::mem::offset_of!(Self, 1),
                ),
            ],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl ::psync::__private::Zeroable for Pair
    where
        for<'holds> u32: ::psync::__private::Zeroable,
        for<'holds> f64: ::psync::__private::Zeroable,
    {}
    impl ::psync::__private::SharedMemoryIsNeverDropped for Pair {}
};
