//! `Shared<T>`: an `Arc` whose value all processes of a program can hold.
#![allow(unsafe_code, reason = "turns a mapping into references")]

use super::{ShmError, ShmSafe, Zeroable, block::Block, segment::PAGE};
use core::{alloc::Layout, fmt, mem::MaybeUninit, ops::Deref, ptr::NonNull};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::sync::Arc;

/// A value in shared memory, held by any number of processes: what `Arc` is between threads.
///
/// `Clone` makes another handle to the same value. Sending a handle to another process, as an argument, as a result or through a
/// channel, makes one there; the value itself is never copied. The memory goes back to the system once no process holds a handle
/// any more, however each of them ended: it has no name, so there is nothing to clean up.
///
/// Like `Arc`, it gives `&T` only: what changes in a shared value is a lock, an atomic or another primitive inside it. For a slice
/// of plain numbers that processes change in turns use `Array<T>`.
///
/// A small value lies with others in one segment of shared memory, so a program can have very many; they all count as one
/// descriptor and one mapping. The segment stays as long as any of them is held anywhere.
///
/// # Examples
/// ```
/// use psync::Shared;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// let hits = Shared::new(AtomicU64::new(0))?;
/// let same = hits.clone();
/// same.fetch_add(1, Ordering::Relaxed);
/// assert_eq!(hits.load(Ordering::Relaxed), 1);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// Lengths that are known at run time only:
/// ```
/// use psync::Shared;
///
/// let squares = Shared::<[u64]>::new_with(1000, |i| (i * i) as u64)?;
/// assert_eq!(squares[30], 900);
/// # Ok::<(), psync::Error>(())
/// ```
pub struct Shared<T: ShmSafe + ?Sized> {
    block: Arc<Block>,
    value: NonNull<T>,
}

// SAFETY: it gives `&T` to many threads, and `T: ShmSafe` is `Send + Sync`.
unsafe impl<T: ShmSafe + ?Sized> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ShmSafe + ?Sized> Sync for Shared<T> {}

/// Single values and slices: how many values of what size, and a pointer to them.
///
/// # Safety
/// `at` returns a pointer to a valid `Self` wherever `count` valid values take up `layout(count)` bytes.
#[doc(hidden)]
pub unsafe trait Shape: ShmSafe {
    fn layout(count: usize) -> Option<Layout>;
    fn at(first: NonNull<u8>, count: usize) -> NonNull<Self>;
    fn count(value: NonNull<Self>) -> usize;
}

// SAFETY: a single value, whatever the count.
unsafe impl<T: ShmSafe> Shape for T {
    fn layout(count: usize) -> Option<Layout> {
        (count == 1).then_some(Layout::new::<T>())
    }
    fn at(first: NonNull<u8>, _: usize) -> NonNull<T> {
        first.cast()
    }
    fn count(_: NonNull<T>) -> usize {
        1
    }
}

// SAFETY: `count` values, one after the other.
unsafe impl<T: ShmSafe> Shape for [T] {
    fn layout(count: usize) -> Option<Layout> {
        Layout::array::<T>(count).ok()
    }
    fn at(first: NonNull<u8>, count: usize) -> NonNull<[T]> {
        NonNull::slice_from_raw_parts(first.cast(), count)
    }
    fn count(value: NonNull<[T]>) -> usize {
        value.len()
    }
}

impl<T: ShmSafe> Shared<T> {
    /// Moves `value` into shared memory.
    ///
    /// # Errors
    /// [`ShmError`], if there is no memory or no descriptor for it.
    pub fn new(value: T) -> crate::Result<Self> {
        // SAFETY: the place is fresh, ours alone, and of the right size and alignment.
        Ok(Self::make(1, |place| unsafe { place.write(value) })?)
    }

    /// A value whose bytes are all zero, made without ever being on the stack.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Examples
    /// ```
    /// use psync::Shared;
    ///
    /// let image = Shared::<[[u32; 1024]; 1024]>::zeroed()?; // 4 MiB
    /// assert_eq!(image[3][4], 0);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn zeroed() -> crate::Result<Self>
    where
        T: Zeroable,
    {
        Ok(Self::make(1, |_: NonNull<T>| {})?)
    }
}

impl<T: ShmSafe> Shared<[T]> {
    /// `len` values whose bytes are all zero.
    ///
    /// # Errors
    /// [`ShmError`], if there is no memory or no descriptor for it.
    pub fn zeroed(len: usize) -> crate::Result<Self>
    where
        T: Zeroable,
    {
        Ok(Self::make(len, |_: NonNull<T>| {})?)
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn from_slice(values: &[T]) -> crate::Result<Self>
    where
        T: Copy,
    {
        let fill = |place: NonNull<T>| {
            // SAFETY: the place is fresh, of `values.len()` values, and they are `Copy`.
            unsafe { place.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len()) }
        };
        Ok(Self::make(values.len(), fill)?)
    }

    /// `len` values, each made in its place by `make(index)`.
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn new_with(len: usize, mut make: impl FnMut(usize) -> T) -> crate::Result<Self> {
        let fill = |place: NonNull<T>| {
            let place = NonNull::slice_from_raw_parts(place.cast::<MaybeUninit<T>>(), len);
            // SAFETY: the place is fresh, ours alone, and of `len` values.
            let places = unsafe { { place }.as_mut() };
            for (index, place) in places.iter_mut().enumerate() {
                place.write(make(index));
            }
        };
        Ok(Self::make(len, fill)?)
    }
}

impl<T: ShmSafe + ?Sized> Shared<T> {
    /// Whether both are handles to the same value.
    ///
    /// # Examples
    /// ```
    /// use psync::Shared;
    ///
    /// let one = Shared::new(7)?;
    /// assert!(Shared::ptr_eq(&one, &one.clone()));
    /// assert!(!Shared::ptr_eq(&one, &Shared::new(7)?));
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        a.block.place() == b.block.place()
    }

    /// The value to change at will, if this is provably the only handle: no other in this process, never sent to another, and no
    /// fork since it was made.
    ///
    /// This is how plain data is filled in place before it is shared, and how `&mut` parts of it are lent to processes of a scope.
    ///
    /// # Examples
    /// ```
    /// use psync::Shared;
    ///
    /// let mut table = Shared::<[u32]>::zeroed(4)?;
    /// Shared::get_mut(&mut table).expect("nobody else has it")[2] = 7;
    /// let other = table.clone();
    /// assert!(Shared::get_mut(&mut table).is_none());
    /// assert_eq!(*other, [0, 0, 7, 0]);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let block = Arc::get_mut(&mut this.block)?;
        if !block.is_private() {
            return None;
        }
        // SAFETY: no other handle in this process; no other process can have one (UNSAFE.md, S6); references that were lent
        // from this one borrow it.
        Some(unsafe { this.value.as_mut() })
    }

    /// Notes that others may hold the value from now on.
    pub(super) fn publish(&self) {
        self.block.publish();
    }
}

impl<T: Shape + ?Sized> Shared<T> {
    /// Makes a block for `count` values and has `fill` write them, or leave them zero.
    ///
    /// Callers see to it that `fill` leaves valid values.
    fn make<U>(count: usize, fill: impl FnOnce(NonNull<U>)) -> Result<Self, ShmError> {
        const {
            assert!(!core::mem::needs_drop::<U>(), "nobody drops what lies in shared memory");
            assert!(align_of::<U>() <= PAGE, "shared memory is aligned to pages at most");
        }
        let too_large = || ShmError::TooLarge { len: count, each: size_of::<U>() };
        let layout = T::layout(count).ok_or_else(too_large)?;
        let block = Block::make(T::FINGERPRINT, layout, count, |place| fill(place.cast()));
        let block = block.map_err(|error| match error {
            ShmError::TooLarge { .. } => too_large(),
            error => error,
        })?;
        Self::view(block, count)
    }

    fn view(block: Block, count: usize) -> Result<Self, ShmError> {
        let value = T::layout(count).and_then(|layout| block.value(layout));
        let value = value.ok_or(ShmError::Layout { type_name: core::any::type_name::<T>() })?;
        Ok(Self { block: Arc::new(block), value: T::at(value, count) })
    }
}

impl<T: ShmSafe + ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { block: Arc::clone(&self.block), value: self.value }
    }
}

impl<T: ShmSafe + ?Sized> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the block's type was checked when this handle was made (S3), its memory stays mapped while the handle lives (S2)
        // and always holds a valid value (S4); whatever other processes change in it lies in a cell or an atomic, since `&mut`
        // exists only while there is no other handle (S6).
        unsafe { self.value.as_ref() }
    }
}

impl<T: ShmSafe + ?Sized> AsRef<T> for Shared<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ShmSafe + ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (segment, offset) = self.block.place();
        write!(f, "Shared<{}>({segment}:{offset})", core::any::type_name::<T>())
    }
}

impl<T: ShmSafe + ?Sized> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.block.depart().serialize(serializer)
    }
}

impl<'de, T: Shape + ?Sized> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = <(u64, u64)>::deserialize(deserializer)?;
        let layout = || ShmError::Layout { type_name: core::any::type_name::<T>() };
        Block::find(place, T::FINGERPRINT)
            .and_then(|found| found.ok_or_else(layout))
            .and_then(|(block, count)| Self::view(block, count))
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
