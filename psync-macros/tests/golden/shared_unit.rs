#[repr(C)]
struct Nothing;
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Nothing {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Nothing",
            &[],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl ::psync::__private::Zeroable for Nothing {}
    impl ::psync::__private::SharedMemoryIsNeverDropped for Nothing {}
};
