#[repr(C)]
struct Slot<T: Copy, const N: usize>
where
    T: Default,
{
    big_lock: Lock,
    #[doc(hidden)]
    value: renamed::__private::Guarded<T, Self, 0>,
    all: [T; N],
}
const _: () = {
    unsafe impl<T: Copy, const N: usize> renamed::__private::ShmSafe for Slot<T, N>
    where
        T: Default,
        T: renamed::__private::ShmSafe,
    {
        const FINGERPRINT: u64 = renamed::__private::fingerprint(
            "Slot",
            &[
                (
                    "big_lock",
                    renamed::__private::fingerprint_of::<Lock>(),
                    ::core::mem::offset_of!(Self, big_lock),
                ),
                (
                    "value",
                    renamed::__private::fingerprint_of::<T>(),
                    ::core::mem::offset_of!(Self, value),
                ),
                (
                    "all",
                    renamed::__private::fingerprint_of::<[T; N]>(),
                    ::core::mem::offset_of!(Self, all),
                ),
            ],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl<T: Copy, const N: usize> renamed::__private::Zeroable for Slot<T, N>
    where
        T: Default,
        T: renamed::__private::ShmSafe,
        for<'holds> Lock: renamed::__private::Zeroable,
        for<'holds> T: renamed::__private::Zeroable,
        for<'holds> [T; N]: renamed::__private::Zeroable,
    {}
    #[automatically_derived]
    impl<T: Copy, const N: usize> ::core::default::Default for Slot<T, N>
    where
        T: Default,
        T: renamed::__private::ShmSafe,
        for<'holds> Lock: ::core::default::Default,
        for<'holds> T: ::core::default::Default,
        for<'holds> [T; N]: ::core::default::Default,
    {
        fn default() -> Self {
            Self {
                big_lock: <Lock as ::core::default::Default>::default(),
                value: renamed::__private::Guarded::new(
                    <T as ::core::default::Default>::default(),
                ),
                all: <[T; N] as ::core::default::Default>::default(),
            }
        }
    }
    impl<T: Copy, const N: usize> renamed::__private::SharedMemoryIsNeverDropped
    for Slot<T, N>
    where
        T: Default,
    {}
};
///The fields of `Slot` that `big_lock` guards, for as long as it is held.
#[must_use = "the lock is released when this is dropped"]
struct SlotBigLock<'guard, T: 'guard + Copy, const N: usize>
where
    T: Default,
{
    /// The field of this name of `Slot`.
    pub value: renamed::__private::Held<'guard, T>,
    __owner: ::core::marker::PhantomData<&'guard Slot<T, N>>,
    __lock: renamed::__private::LockGuard<'guard>,
}
impl<'guard, T: 'guard + Copy, const N: usize> SlotBigLock<'guard, T, N>
where
    T: Default,
{
    #[inline]
    fn __over(mut hold: renamed::__private::Hold<'guard, Slot<T, N>, 0>) -> Self {
        let owner = hold.owner();
        Self {
            value: hold.field(&owner.value),
            __owner: ::core::marker::PhantomData,
            __lock: hold.rest(),
        }
    }
}
impl<'guard, T: 'guard + Copy, const N: usize> renamed::__private::FieldsGuard
for SlotBigLock<'guard, T, N>
where
    T: Default,
{
    fn lock_guard(&self) -> &renamed::__private::LockGuard<'_> {
        &self.__lock
    }
    fn is_whole(&self) -> bool {
        renamed::__private::is_whole(&self.__lock, &[self.value.share()])
    }
}
impl<'guard, T: 'guard + Copy, const N: usize> ::core::fmt::Debug
for SlotBigLock<'guard, T, N>
where
    T: Default,
{
    fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        formatter
            .debug_struct("SlotBigLock")
            .field("big_lock", &self.__lock)
            .finish_non_exhaustive()
    }
}
impl<T: Copy, const N: usize> renamed::__private::Guards<0> for Slot<T, N>
where
    T: Default,
{
    const PLACE: usize = ::core::mem::offset_of!(Self, big_lock);
    fn lock_of_fields(&self) -> &renamed::__private::Lock {
        renamed::__private::lock_of(&self.big_lock)
    }
}
impl<T: Copy, const N: usize> Slot<T, N>
where
    T: Default,
{
    /// Waits for `big_lock` and gives the fields that it guards.
    #[track_caller]
    fn lock_big_lock(
        &self,
    ) -> ::core::result::Result<SlotBigLock<'_, T, N>, renamed::__private::LockError> {
        renamed::__private::lock_fields(self, SlotBigLock::__over)
    }
    /// Gives the fields that `big_lock` guards if nobody holds it.
    #[track_caller]
    fn try_lock_big_lock(
        &self,
    ) -> ::core::result::Result<SlotBigLock<'_, T, N>, renamed::__private::LockError> {
        renamed::__private::try_lock_fields(self, SlotBigLock::__over)
    }
    /// Waits for `big_lock` no longer than `timeout`.
    #[track_caller]
    fn lock_big_lock_timeout(
        &self,
        timeout: renamed::__private::Duration,
    ) -> ::core::result::Result<SlotBigLock<'_, T, N>, renamed::__private::LockError> {
        renamed::__private::lock_fields_timeout(self, timeout, SlotBigLock::__over)
    }
    /// As [`Self::lock_big_lock`], but `repair` makes the fields whole first if a holder died or panicked.
    #[track_caller]
    fn lock_big_lock_or_repair(
        &self,
        repair: impl ::core::ops::FnOnce(&mut SlotBigLock<'_, T, N>),
    ) -> ::core::result::Result<SlotBigLock<'_, T, N>, renamed::__private::LockError> {
        renamed::__private::lock_fields_or_repair(self, SlotBigLock::__over, repair)
    }
}
