//! `Text<N>`: a string of at most `N` bytes that may live in shared memory.
#![allow(unsafe_code, reason = "implements the unsafe traits")]

use super::{CapacityError, ShmSafe, Zeroable, error::Unit, safe::fingerprint};
use core::{borrow::Borrow, cmp, fmt, hash, ops::Deref, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A string of at most `N` bytes of UTF-8, stored in place.
///
/// If a process is killed while it writes one, others see a text made of the old and the new, cut at the first place where that
/// is not UTF-8; a lock that was held meanwhile says so (`Poisoned`).
///
/// # Examples
/// ```
/// use psync::Text;
///
/// let mut name: Text<8> = "Percy".parse()?;
/// assert_eq!(name, "Percy");
/// assert_eq!(name.len(), 5);
///
/// let error = name.set("nine bytes").unwrap_err();
/// assert_eq!(error.to_string(), "10 bytes do not fit into a capacity of 8");
/// assert_eq!(name, "Percy");
/// # Ok::<(), psync::Error>(())
/// ```
///
/// ```
/// use psync::Text;
///
/// let mut name = Text::<8>::new();
/// name.push_str("corn")?;
/// assert_eq!(name.as_str(), "corn");
/// assert!(name.push_str("field").is_err(), "too long, and not changed");
/// assert_eq!((name.len(), name.capacity()), (4, 8));
/// name.clear();
/// assert!(name.is_empty());
/// # Ok::<(), psync::CapacityError>(())
/// ```
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Text<const N: usize> {
    len: u32,
    bytes: [u8; N],
}

// SAFETY: bytes and a number, of which any are valid: reading clamps the length and stops at what is not UTF-8.
unsafe impl<const N: usize> ShmSafe for Text<N> {
    const FINGERPRINT: u64 =
        fingerprint("Text", &[("", N as u64, 0)], size_of::<Self>(), align_of::<Self>());
}
// SAFETY: the empty text.
unsafe impl<const N: usize> Zeroable for Text<N> {}

impl<const N: usize> Text<N> {
    /// An empty text.
    pub const fn new() -> Self {
        const { assert!(N <= u32::MAX as usize, "a text holds at most 4 GiB") };
        Self { len: 0, bytes: [0; N] }
    }

    /// The text; what a killed writer left that is not UTF-8, and what follows it, is left out.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..(self.len as usize).min(N)];
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        }
    }

    /// Replaces the text. If the new one is too long, nothing changes.
    ///
    /// # Errors
    /// [`CapacityError`], which names both sizes.
    pub fn set(&mut self, text: &str) -> Result<(), CapacityError> {
        self.write(0, text)
    }

    /// Appends to the text. If it becomes too long, nothing changes.
    ///
    /// # Errors
    /// [`CapacityError`], which names both sizes.
    pub fn push_str(&mut self, text: &str) -> Result<(), CapacityError> {
        self.write(self.len(), text)
    }

    fn write(&mut self, start: usize, text: &str) -> Result<(), CapacityError> {
        let len = start.saturating_add(text.len());
        let too_long = CapacityError { len, capacity: N, unit: Unit::Bytes };
        let place = self.bytes.get_mut(start..len).ok_or(too_long)?;
        let len = u32::try_from(len).map_err(|_| too_long)?;
        place.copy_from_slice(text.as_bytes());
        self.len = len;
        Ok(())
    }

    /// Empties it.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.as_str().len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most bytes that it can hold: `N`.
    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> TryFrom<&str> for Text<N> {
    type Error = CapacityError;

    fn try_from(text: &str) -> Result<Self, CapacityError> {
        let mut new = Self::new();
        new.set(text)?;
        Ok(new)
    }
}

/// As from a `&str`, for what is at hand as a `String`.
impl<const N: usize> TryFrom<String> for Text<N> {
    type Error = CapacityError;

    fn try_from(text: String) -> Result<Self, CapacityError> {
        Self::try_from(text.as_str())
    }
}

impl<const N: usize> From<Text<N>> for String {
    fn from(text: Text<N>) -> Self {
        text.as_str().to_owned()
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = CapacityError;

    fn from_str(text: &str) -> Result<Self, CapacityError> {
        Self::try_from(text)
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<const N: usize> Borrow<str> for Text<N> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<const N: usize, const M: usize> PartialEq<Text<M>> for Text<N> {
    fn eq(&self, other: &Text<M>) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<const N: usize> PartialEq<String> for Text<N> {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> PartialEq<Text<N>> for str {
    fn eq(&self, other: &Text<N>) -> bool {
        other == self
    }
}

impl<const N: usize> PartialEq<Text<N>> for &str {
    fn eq(&self, other: &Text<N>) -> bool {
        other == self
    }
}

impl<const N: usize> PartialEq<Text<N>> for String {
    fn eq(&self, other: &Text<N>) -> bool {
        other == self
    }
}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<const N: usize> hash::Hash for Text<N> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Appends; what does not fit is an error and changes nothing.
impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|_| fmt::Error)
    }
}

impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Text<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;

        impl<const N: usize> de::Visitor<'_> for Visitor<N> {
            type Value = Text<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a string of at most {N} bytes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<N>, E> {
                Text::try_from(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Covers `_TestSharedMemory.test_shared_memory_ShareableList_basics`: 8 bytes of UTF-8 fit into 8, 9 do not, and a refusal
    /// changes nothing.
    #[test]
    fn capacity_is_exact_in_bytes() {
        let mut text: Text<8> = "howdy".parse().expect("fits");
        text.set("ää ää").expect_err("nine bytes");
        assert_eq!(text, "howdy");
        text.set("ääää").expect("eight bytes");
        assert_eq!(text, "ääää");
        let error = text.push_str("x").expect_err("one more");
        assert_eq!((error.needed(), error.capacity()), (9, 8));
        assert_eq!(Text::<0>::try_from("").expect("fits").as_str(), "");
    }

    #[test]
    fn only_the_visible_part_counts() {
        let mut a: Text<8> = "longer".parse().expect("fits");
        a.set("ab").expect("fits");
        let b: Text<8> = "ab".parse().expect("fits");
        assert_eq!(a, b);
        assert_eq!(a.cmp(&b), cmp::Ordering::Equal);
        assert!(std::collections::HashSet::from([a]).contains("ab"));
        assert_eq!(format!("{a:>4}|{a:?}"), "  ab|\"ab\"");
    }

    #[test]
    fn strings_become_texts_and_texts_strings() {
        let owned = String::from("ab");
        let text = Text::<4>::try_from(owned.clone()).expect("fits");
        assert_eq!(text, owned);
        assert_eq!(owned, text);
        assert_eq!("ab", text);
        assert_eq!(*"ab", text);
        assert_ne!("b", text);
        assert_eq!(String::from(text), owned);
        Text::<1>::try_from(owned).expect_err("two bytes");
    }

    proptest! {
        #[test]
        fn what_fits_comes_back(text in any::<String>()) {
            match Text::<32>::try_from(text.as_str()) {
                Ok(fits) => {
                    prop_assert!(text.len() <= 32);
                    prop_assert_eq!(fits.as_str(), text.as_str());
                    let config = bincode::config::standard();
                    let bytes = bincode::serde::encode_to_vec(fits, config).expect("encodes");
                    let back = bincode::serde::decode_from_slice::<Text<32>, _>(&bytes, config);
                    prop_assert_eq!(back.expect("decodes").0, fits);
                }
                Err(error) => {
                    prop_assert!(text.len() > 32);
                    prop_assert_eq!(error.needed(), text.len());
                }
            }
        }

        #[test]
        fn any_bytes_are_a_text(len in any::<u32>(), bytes in any::<[u8; 16]>()) {
            let text = Text { len, bytes };
            prop_assert!(bytes.starts_with(text.as_bytes()));
            let mut more = text;
            let room = 16 - text.len();
            more.push_str(&"x".repeat(room)).expect("fits");
            prop_assert!(more.starts_with(text.as_str()));
        }
    }
}
