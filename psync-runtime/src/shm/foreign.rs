//! Types from elsewhere that may live in shared memory.
#![allow(unsafe_code, reason = "implements the unsafe traits")]
#![allow(clippy::disallowed_types, reason = "users may share the atomics of std")]

use super::{ShmSafe, Zeroable, safe::fingerprint};
use core::{marker::PhantomData, mem::offset_of, num::Wrapping, sync::atomic};

macro_rules! plain {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: a number or an atomic one: no pointer, a layout that the language fixes, no drop glue, and every mixture of
        // bytes of two values is a value; `bool` is one byte, so a mixture is one of the two.
        unsafe impl ShmSafe for $type {
            const FINGERPRINT: u64 =
                fingerprint(stringify!($type), &[], size_of::<Self>(), align_of::<Self>());
        }
        // SAFETY: zero, or `false`.
        unsafe impl Zeroable for $type {}
    )+};
}

plain!((), bool, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);
plain!(atomic::AtomicBool, atomic::AtomicU8, atomic::AtomicU16, atomic::AtomicU32);
plain!(atomic::AtomicU64, atomic::AtomicUsize, atomic::AtomicI8, atomic::AtomicI16);
plain!(atomic::AtomicI32, atomic::AtomicI64, atomic::AtomicIsize);

// SAFETY: nothing but its elements, at offsets that the language fixes.
unsafe impl<T: ShmSafe, const N: usize> ShmSafe for [T; N] {
    const FINGERPRINT: u64 =
        fingerprint("[;]", &[("", T::FINGERPRINT, N)], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: zeros in every element.
unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}

// SAFETY: no bytes at all.
unsafe impl<T: Send + Sync + ?Sized + 'static> ShmSafe for PhantomData<T> {
    const FINGERPRINT: u64 = fingerprint("PhantomData", &[], 0, 1);
}
// SAFETY: no bytes at all.
unsafe impl<T: Send + Sync + ?Sized + 'static> Zeroable for PhantomData<T> {}

// SAFETY: `repr(transparent)` over its number.
unsafe impl<T: ShmSafe> ShmSafe for Wrapping<T> {
    const FINGERPRINT: u64 =
        fingerprint("Wrapping", &[("0", T::FINGERPRINT, 0)], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: as its number.
unsafe impl<T: Zeroable> Zeroable for Wrapping<T> {}

macro_rules! tuples {
    ($($($name:ident $index:tt),+;)+) => {$(
        // SAFETY: nothing but its fields; every process of the program runs the same code, and the offsets are in the
        // fingerprint.
        #[diagnostic::do_not_recommend]
        unsafe impl<$($name: ShmSafe),+> ShmSafe for ($($name,)+) {
            const FINGERPRINT: u64 = fingerprint(
                "()",
                &[$((stringify!($index), $name::FINGERPRINT, offset_of!(Self, $index))),+],
                size_of::<Self>(),
                align_of::<Self>(),
            );
        }
        // SAFETY: zeros in every field.
        #[diagnostic::do_not_recommend]
        unsafe impl<$($name: Zeroable),+> Zeroable for ($($name,)+) {}
    )+};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_that_differ_have_fingerprints_that_differ() {
        assert_ne!(<[u8; 4]>::FINGERPRINT, <[u8; 5]>::FINGERPRINT);
        assert_ne!(<(u8, u32)>::FINGERPRINT, <(u32, u8)>::FINGERPRINT);
        assert_ne!(u32::FINGERPRINT, i32::FINGERPRINT);
        assert_ne!(u32::FINGERPRINT, atomic::AtomicU32::FINGERPRINT);
        assert_ne!(<(u8,)>::FINGERPRINT, u8::FINGERPRINT);
        assert_ne!(Wrapping::<u8>::FINGERPRINT, u8::FINGERPRINT);
    }
}
