//! What may live in shared memory: the contract, and how a layout is told from another.
#![allow(unsafe_code, reason = "defines the unsafe traits")]

/// Types whose values may live in memory that other processes map, and may be killed while they write to.
///
/// Implement it with `#[shared]`, which checks it field by field; what comes from elsewhere (integers, floats, `bool`,
/// arrays, tuples, the atomics of std) has it already. For strings there is [`Text`](super::Text), for vectors
/// [`List`](super::List) inside a value and `Shared<[T]>` or `Array<T>` beside it.
///
/// # Safety
/// 1. *Self-contained*: no pointer, reference, descriptor, handle or `TypeId`; nothing that means something in one process only.
/// 2. *Fixed layout*: the language, `#[repr(C)]`, `#[repr(transparent)]` or `#[repr(u8)]` decides it; or every process of the
///    program runs the same compiled code, and `FINGERPRINT` covers the offsets.
/// 3. *No `Drop`*: a process may be killed and never drop anything.
/// 4. *Shared mutation* happens only through the cells of psync and the atomics of std.
/// 5. *Tearing is harmless*: if every byte of a value is taken from one of two valid values, the result is a valid value. So
///    neither `char`, references, `NonZero*`, nor enums with data; a `bool` is a single byte, which is never torn.
///
/// # Examples
/// ```
/// use psync::ShmSafe;
///
/// fn fits<T: ShmSafe>() {}
/// fits::<(u64, [f32; 16], bool)>();
/// ```
///
/// ```compile_fail
/// # use psync::ShmSafe;
/// # fn fits<T: ShmSafe>() {}
/// fits::<String>(); // a pointer to this process's heap: use `Text<N>`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot live in shared memory",
    label = "holds something that another process could not use, or that a killed writer could leave invalid",
    note = "on a struct of your own write `#[shared]`",
    note = "instead of a string use `Text<N>`, instead of a vector `List<T, N>`, `Array<T>` or `Shared<[T]>`",
    note = "anything else can be sent: through a queue, or as an argument"
)]
pub unsafe trait ShmSafe: Send + Sync + 'static {
    /// Tells the type's layout from others: made of its name, its fields with their offsets, its size and alignment.
    const FINGERPRINT: u64;
}

// SAFETY: a slice is nothing but its elements, one after the other.
unsafe impl<T: ShmSafe> ShmSafe for [T] {
    const FINGERPRINT: u64 = fingerprint("[]", &[("", T::FINGERPRINT, 0)], 0, align_of::<T>());
}

/// Types of which all-zero bytes are a value, so that large ones need not be built at all.
///
/// `#[shared]` implements it where every field has it.
///
/// # Safety
/// A value whose bytes are all zero is valid, and is what somebody who asks for a fresh one expects.
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are not known to be a value of `{Self}`",
    note = "`#[shared]` types have this when every field has it; otherwise make the value with `Shared::new`"
)]
pub unsafe trait Zeroable: ShmSafe {}

/// What `#[shared]` types are, so that an `impl Drop` for one is a conflict: nothing would ever call it.
#[doc(hidden)]
pub trait SharedMemoryIsNeverDropped {}

#[allow(drop_bounds, reason = "the types that have an `impl Drop` are the ones that are meant")]
impl<T: Drop + ?Sized> SharedMemoryIsNeverDropped for T {}

/// The fingerprint of a type, for `#[shared]`: `parts` are its fields as (name, fingerprint, offset).
#[doc(hidden)]
pub const fn fingerprint(
    type_name: &str,
    parts: &[(&str, u64, usize)],
    size: usize,
    align: usize,
) -> u64 {
    let mut hash = text(0xcbf2_9ce4_8422_2325, type_name);
    let mut index = 0;
    while index < parts.len() {
        let (name, part, offset) = parts[index];
        hash = word(word(text(hash, name), part), offset as u64);
        index += 1;
    }
    word(word(word(hash, parts.len() as u64), size as u64), align as u64)
}

/// The fingerprint of a field. Compiles for nothing but a [`ShmSafe`] type.
#[doc(hidden)]
pub const fn fingerprint_of<T: ShmSafe>() -> u64 {
    T::FINGERPRINT
}

const PRIME: u64 = 0x0100_0000_01b3;

const fn text(mut hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(PRIME);
        index += 1;
    }
    word(hash, bytes.len() as u64)
}

const fn word(mut hash: u64, word: u64) -> u64 {
    let bytes = word.to_le_bytes();
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(PRIME);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_layout_counts() {
        let all = [
            fingerprint("A", &[("x", 1, 0)], 8, 8),
            fingerprint("B", &[("x", 1, 0)], 8, 8),
            fingerprint("A", &[("y", 1, 0)], 8, 8),
            fingerprint("A", &[("x", 2, 0)], 8, 8),
            fingerprint("A", &[("x", 1, 4)], 8, 8),
            fingerprint("A", &[("x", 1, 0)], 16, 8),
            fingerprint("A", &[("x", 1, 0)], 8, 4),
            fingerprint("A", &[], 8, 8),
            <[u8]>::FINGERPRINT,
            <[u16]>::FINGERPRINT,
            u8::FINGERPRINT,
        ];
        let distinct: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        assert_ne!(
            fingerprint("A", &[("ab", 0, 0)], 0, 1),
            fingerprint("Aa", &[("b", 0, 0)], 0, 1)
        );
    }
}
