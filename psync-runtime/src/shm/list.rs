//! `List<T, N>`: a vector of at most `N` values that may live in shared memory.
#![allow(unsafe_code, reason = "implements the unsafe traits and begins with zeros")]

use super::{CapacityError, ShmSafe, Zeroable, error::Unit, safe::fingerprint};
use core::{
    cmp, fmt, hash,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    slice,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A vector of at most `N` values, stored in place.
///
/// If a process is killed while it changes one, others see some mixture of before and after, made of valid values; a lock that was
/// held meanwhile says so (`Poisoned`). Places that were never filled hold zeros, so that even a length that is too long shows
/// nothing but values: hence `T: Zeroable`.
///
/// # Examples
/// ```
/// use psync::List;
///
/// let mut list = List::<u32, 3>::new();
/// for n in [3, 1, 2] {
///     list.push(n).expect("there is room for three");
/// }
/// assert_eq!(list.push(9), Err(9));
/// list.sort();
/// assert_eq!(list.as_slice(), [1, 2, 3]);
/// assert_eq!(list.pop(), Some(3));
/// ```
///
/// ```
/// use psync::List;
///
/// let mut list = List::<u8, 3>::try_from(&[3, 4][..])?;
/// list.as_mut_slice().reverse();
/// assert_eq!(list.as_slice(), [4, 3]);
/// assert_eq!(list.capacity(), 3);
/// list.clear();
/// assert!(list.is_empty());
/// # Ok::<(), psync::CapacityError>(())
/// ```
#[derive(Clone, Copy)]
#[repr(C)]
pub struct List<T, const N: usize> {
    len: u32,
    /// All of them are valid values, also behind `len`.
    items: [T; N],
}

// SAFETY: a number of which any is valid, since reading clamps it, and values of `T`, all of them valid.
unsafe impl<T: ShmSafe, const N: usize> ShmSafe for List<T, N> {
    const FINGERPRINT: u64 =
        fingerprint("List", &[("", T::FINGERPRINT, N)], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: the empty list; a `T` may be all zeros.
unsafe impl<T: Zeroable, const N: usize> Zeroable for List<T, N> {}

impl<T: Zeroable + Copy, const N: usize> List<T, N> {
    /// An empty list.
    pub const fn new() -> Self {
        const { assert!(N <= u32::MAX as usize, "a list holds at most 2^32 values") };
        // SAFETY: zeros are a `T`, hence an array of them (`Zeroable`).
        Self { len: 0, items: unsafe { core::mem::zeroed() } }
    }

    /// Appends a value; gives it back if the list is full.
    ///
    /// # Errors
    /// `Err(value)` if there are `N` values already.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let len = self.visible();
        let Some(place) = self.items.get_mut(len) else { return Err(value) };
        *place = value;
        self.set_len(len + 1);
        Ok(())
    }

    /// Takes the last value off.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.visible().checked_sub(1)?;
        self.set_len(last);
        Some(self.items[last])
    }

    /// Replaces the values. If there are too many, nothing changes.
    ///
    /// # Errors
    /// [`CapacityError`], which names both sizes.
    pub fn set(&mut self, values: &[T]) -> Result<(), CapacityError> {
        let too_many = CapacityError { len: values.len(), capacity: N, unit: Unit::Items };
        self.items.get_mut(..values.len()).ok_or(too_many)?.copy_from_slice(values);
        self.set_len(values.len());
        Ok(())
    }
}

impl<T, const N: usize> List<T, N> {
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        &self.items[..self.visible()]
    }

    /// The values, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let len = self.visible();
        &mut self.items[..len]
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.visible()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.visible() == 0
    }

    /// The most values that it can hold: `N`.
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Goes through the values.
    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.as_slice().iter()
    }

    /// Goes through the values and lets them be changed.
    pub fn iter_mut(&mut self) -> slice::IterMut<'_, T> {
        self.as_mut_slice().iter_mut()
    }

    /// Empties it.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The length, also if a killed writer left one that is too long.
    fn visible(&self) -> usize {
        (self.len as usize).min(N)
    }

    fn set_len(&mut self, len: usize) {
        #[allow(clippy::cast_possible_truncation, reason = "at most N, which fits as `new` checks")]
        {
            self.len = len as u32;
        }
    }
}

impl<T: Zeroable + Copy, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Zeroable + Copy, const N: usize> TryFrom<&[T]> for List<T, N> {
    type Error = CapacityError;

    fn try_from(values: &[T]) -> Result<Self, CapacityError> {
        let mut list = Self::new();
        list.set(values)?;
        Ok(list)
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

impl<T, const N: usize> AsRef<[T]> for List<T, N> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a List<T, N> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a mut List<T, N> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> slice::IterMut<'a, T> {
        self.iter_mut()
    }
}

impl<T: PartialEq, const N: usize, const M: usize> PartialEq<List<T, M>> for List<T, N> {
    fn eq(&self, other: &List<T, M>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq, const N: usize> Eq for List<T, N> {}

impl<T: PartialOrd, const N: usize> PartialOrd for List<T, N> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        self.as_slice().partial_cmp(other.as_slice())
    }
}

impl<T: Ord, const N: usize> Ord for List<T, N> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl<T: hash::Hash, const N: usize> hash::Hash for List<T, N> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_slice(), f)
    }
}

impl<T: Serialize, const N: usize> Serialize for List<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T, const N: usize> Deserialize<'de> for List<T, N>
where
    T: Zeroable + Copy + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T, const N: usize>(PhantomData<T>);

        impl<'de, T, const N: usize> de::Visitor<'de> for Visitor<T, N>
        where
            T: Zeroable + Copy + Deserialize<'de>,
        {
            type Value = List<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {N} values")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = List::new();
                while let Some(value) = seq.next_element()? {
                    let full = |_| de::Error::invalid_length(N + 1, &self);
                    list.push(value).map_err(full)?;
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Visitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Text;
    use core::mem::MaybeUninit;
    use proptest::prelude::*;

    #[test]
    fn a_full_list_gives_the_value_back() {
        let mut list = List::<u8, 2>::try_from([1, 2].as_slice()).expect("fits");
        assert_eq!(list.push(3), Err(3));
        assert_eq!(list.set(&[1, 2, 3]).expect_err("three").needed(), 3);
        assert_eq!(list.as_slice(), [1, 2]);
        assert_eq!((list.pop(), list.pop(), list.pop()), (Some(2), Some(1), None));
    }

    #[test]
    fn lists_of_texts_compare_by_what_is_visible() {
        let mut a = List::<Text<8>, 4>::new();
        let b = a;
        a.push("x".parse().expect("fits")).expect("room");
        assert_ne!(a, b);
        a.clear();
        assert_eq!(a, b);
        assert_eq!(format!("{a:?}"), "[]");
    }

    proptest! {
        #[test]
        fn values_come_back_in_order(values in prop::collection::vec(any::<u64>(), 0..12)) {
            let mut list = List::<u64, 8>::new();
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(list.push(*value).is_ok(), index < 8);
            }
            prop_assert_eq!(list.as_slice(), &values[..values.len().min(8)]);
            let config = bincode::config::standard();
            let bytes = bincode::serde::encode_to_vec(&values, config).expect("encodes");
            let back = bincode::serde::decode_from_slice::<List<u64, 8>, _>(&bytes, config);
            prop_assert_eq!(back.ok().map(|(back, _)| back), (values.len() <= 8).then_some(list));
        }

        #[test]
        fn any_mixture_of_two_lists_is_a_list(
            a in prop::collection::vec((any::<bool>(), any::<u16>()), 0..=4),
            b in prop::collection::vec((any::<bool>(), any::<u16>()), 0..=4),
            choice in any::<[bool; 20]>(),
        ) {
            type Items = List<(bool, u16), 4>;
            let a = Items::try_from(a.as_slice()).expect("fits");
            let b = Items::try_from(b.as_slice()).expect("fits");
            let mixed = tear(&a, &b, &choice);
            prop_assert!(mixed.len() <= 4);
            for (index, (flag, number)) in mixed.iter().enumerate() {
                let one_of = |n: u16| [a.items[index].1, b.items[index].1].iter().any(|m| {
                    m.to_ne_bytes()[0] == n.to_ne_bytes()[0]
                });
                prop_assert!(one_of(*number));
                prop_assert!([a.items[index].0, b.items[index].0].contains(flag));
            }
        }
    }

    type Bytes<const S: usize> = [MaybeUninit<u8>; S];

    /// What a writer that was killed on the way from `a` to `b` could leave.
    fn tear<T: Copy, const S: usize>(a: &T, b: &T, choice: &[bool; S]) -> T {
        let (from, to) = (bytes_of::<T, S>(a), bytes_of::<T, S>(b));
        let mixed: Bytes<S> = core::array::from_fn(|i| if choice[i] { from[i] } else { to[i] });
        // SAFETY: every mixture of two valid values is valid: that is what is tested.
        unsafe { core::mem::transmute_copy(&mixed) }
    }

    fn bytes_of<T, const S: usize>(value: &T) -> &Bytes<S> {
        assert_eq!(size_of::<T>(), S);
        // SAFETY: any bytes are `MaybeUninit`, and the sizes are equal.
        unsafe { &*core::ptr::from_ref(value).cast() }
    }
}
