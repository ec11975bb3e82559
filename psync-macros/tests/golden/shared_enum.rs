#[repr(u8)]
#[derive(::core::clone::Clone)]
#[derive(::core::marker::Copy)]
pub enum Colour {
    Red,
    Green = 7,
}
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Colour {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Colour",
            &[("Red", Self::Red as u64, 0), ("Green", Self::Green as u64, 0)],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl ::psync::__private::Zeroable for Colour {}
};
