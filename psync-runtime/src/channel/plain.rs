//! Messages that are nothing but numbers: they are copied as they lie in memory.
#![allow(unsafe_code, reason = "looks at numbers as bytes and back")]

use core::any::{Any, TypeId};

/// Numbers: any bytes are a valid one.
///
/// # Safety
/// No padding, no invalid bytes, no drop glue.
unsafe trait Number: Copy + 'static {}

macro_rules! numbers {
    ($with:ident) => {
        $with! { u8 i8 u16 i16 u32 i32 u64 i64 u128 i128 usize isize f32 f64 }
    };
}
macro_rules! implement {
    ($($number:ty)*) => {$(
        // SAFETY: as its definition says.
        unsafe impl Number for $number {}
    )*};
}
numbers!(implement);

fn bytes_of<N: Number>(numbers: &[N]) -> &[u8] {
    // SAFETY: numbers are made of initialised bytes, and so many belong to the slice.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

fn numbers_of<N: Number>(bytes: &[u8]) -> Option<Vec<N>> {
    let count = bytes.len() / size_of::<N>();
    if !bytes.len().is_multiple_of(size_of::<N>()) {
        return None;
    }
    let mut numbers: Vec<N> = Vec::with_capacity(count);
    // SAFETY: there is room for as many bytes, the parts do not overlap, and any bytes are numbers.
    unsafe {
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), numbers.as_mut_ptr().cast(), bytes.len());
    };
    // SAFETY: so many were just written.
    unsafe { numbers.set_len(count) };
    Some(numbers)
}

/// Whether a value of this type is a number, or an array of up to 32.
#[inline]
fn is_flat<T: 'static>() -> bool {
    let this = TypeId::of::<T>();
    macro_rules! is_one {
        ($($number:ty)*) => { false $(|| is_number_or_array::<$number>(this, size_of::<T>()))* };
    }
    numbers!(is_one)
}

/// All of this is known when the program is compiled; where it is not made use of, in a debug build, the size leaves one type to compare.
#[inline]
fn is_number_or_array<N: Number>(this: TypeId, size: usize) -> bool {
    macro_rules! is_array {
        ($($len:literal)*) => {
            match size / size_of::<N>() {
                $($len => this == TypeId::of::<[N; $len]>(),)*
                _ => false,
            }
        };
    }
    this == TypeId::of::<N>()
        || is_array!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

/// Whether messages of this type are copied.
#[inline]
pub(super) fn is_plain<T: 'static>() -> bool {
    let this = TypeId::of::<T>();
    macro_rules! is_one {
        ($($number:ty)*) => {
            is_flat::<T>()
                || this == TypeId::of::<String>()
                $(|| this == TypeId::of::<Vec<$number>>())*
        };
    }
    numbers!(is_one)
}

/// The bytes of a plain message.
#[inline]
pub(super) fn as_bytes<T: 'static>(value: &T) -> &[u8] {
    if is_flat::<T>() {
        let start = core::ptr::from_ref(value).cast();
        // SAFETY: a number or an array of them is made of initialised bytes without padding.
        return unsafe { core::slice::from_raw_parts(start, size_of::<T>()) };
    }
    let value: &dyn Any = value;
    macro_rules! one {
        ($($number:ty)*) => {$(
            if let Some(numbers) = value.downcast_ref::<Vec<$number>>() {
                return bytes_of(numbers);
            }
        )*};
    }
    numbers!(one);
    value.downcast_ref::<String>().map_or(&[], String::as_bytes)
}

/// A plain message from its bytes; `None` if they are not as many as it has, or no text.
#[inline]
pub(super) fn from_bytes<T: 'static>(bytes: &[u8]) -> Option<T> {
    if is_flat::<T>() {
        // SAFETY: as many bytes as it has, and any bytes are a number or an array of them.
        return (bytes.len() == size_of::<T>())
            .then(|| unsafe { bytes.as_ptr().cast::<T>().read_unaligned() });
    }
    let this = TypeId::of::<T>();
    macro_rules! one {
        ($($number:ty)*) => {$(
            if this == TypeId::of::<Vec<$number>>() {
                return same(numbers_of::<$number>(bytes)?);
            }
        )*};
    }
    numbers!(one);
    if this == TypeId::of::<String>() {
        return same(core::str::from_utf8(bytes).ok()?.to_owned());
    }
    None
}

/// A plain message that consists of the bytes at hand.
pub(super) fn from_owned<T: 'static>(bytes: Vec<u8>) -> Option<T> {
    let this = TypeId::of::<T>();
    if this == TypeId::of::<Vec<u8>>() {
        same(bytes)
    } else if this == TypeId::of::<String>() {
        same(String::from_utf8(bytes).ok()?)
    } else {
        from_bytes(&bytes)
    }
}

/// A value of the type that it is known to be of.
#[inline]
fn same<A: 'static, T: 'static>(value: A) -> Option<T> {
    let mut value = Some(value);
    let place: &mut dyn Any = &mut value;
    place.downcast_mut::<Option<T>>().and_then(Option::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text_go_there_and_back() {
        assert!(is_plain::<u64>() && is_plain::<Vec<f32>>() && is_plain::<String>());
        assert!(is_plain::<[u64; 8]>() && is_plain::<[f32; 32]>() && !is_plain::<[bool; 2]>());
        assert_eq!(from_bytes::<[u16; 3]>(as_bytes(&[1_u16, 2, 3])), Some([1, 2, 3]));
        assert!(!is_plain::<bool>() && !is_plain::<Vec<String>>() && !is_plain::<(u8, u8)>());
        assert_eq!(from_bytes::<i16>(as_bytes(&-2_i16)), Some(-2));
        let numbers = vec![1.5_f64, -0.0];
        assert_eq!(from_bytes::<Vec<f64>>(as_bytes(&numbers)), Some(numbers));
        assert_eq!(from_bytes::<String>(as_bytes(&"ä".to_owned())), Some("ä".to_owned()));
        assert_eq!(from_owned::<Vec<u8>>(vec![1, 2]), Some(vec![1, 2]));
    }

    #[test]
    fn wrong_bytes_are_no_value() {
        assert_eq!(from_bytes::<u32>(&[1, 2, 3]), None);
        assert_eq!(from_bytes::<Vec<u32>>(&[1, 2, 3, 4, 5]), None);
        assert_eq!(from_bytes::<String>(&[0xff]), None);
        assert_eq!(from_owned::<String>(vec![0xff]), None);
    }
}
