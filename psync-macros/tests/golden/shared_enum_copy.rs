#[derive(Clone, Copy)]
#[repr(i8)]
enum Sign {
    Minus = -1,
    Plus = 1,
}
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Sign {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Sign",
            &[("Minus", Self::Minus as u64, 0), ("Plus", Self::Plus as u64, 0)],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
};
