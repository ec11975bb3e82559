/// Where they are kept.
#[repr(C)]
pub(crate) struct Store {
    pub till: Lock,
    /// What is in the till.
    #[doc(hidden)]
    cents: ::psync::__private::Guarded<[u64; 4], Self, 0>,
    #[doc(hidden)]
    last: ::psync::__private::Guarded<Text<32>, Self, 0>,
    shelf_lock: Lock,
    #[doc(hidden)]
    shelf: ::psync::__private::Guarded<Shelf, Self, 3>,
}
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Store {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Store",
            &[
                (
                    "till",
                    ::psync::__private::fingerprint_of::<Lock>(),
                    ::core::mem::offset_of!(Self, till),
                ),
                (
                    "cents",
                    ::psync::__private::fingerprint_of::<[u64; 4]>(),
                    ::core::mem::offset_of!(Self, cents),
                ),
                (
                    "last",
                    ::psync::__private::fingerprint_of::<Text<32>>(),
                    ::core::mem::offset_of!(Self, last),
                ),
                (
                    "shelf_lock",
                    ::psync::__private::fingerprint_of::<Lock>(),
                    ::core::mem::offset_of!(Self, shelf_lock),
                ),
                (
                    "shelf",
                    ::psync::__private::fingerprint_of::<Shelf>(),
                    ::core::mem::offset_of!(Self, shelf),
                ),
            ],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl ::psync::__private::Zeroable for Store
    where
        for<'holds> Lock: ::psync::__private::Zeroable,
        for<'holds> [u64; 4]: ::psync::__private::Zeroable,
        for<'holds> Text<32>: ::psync::__private::Zeroable,
        for<'holds> Lock: ::psync::__private::Zeroable,
        for<'holds> Shelf: ::psync::__private::Zeroable,
    {}
    #[automatically_derived]
    impl ::core::default::Default for Store
    where
        for<'holds> Lock: ::core::default::Default,
        for<'holds> [u64; 4]: ::core::default::Default,
        for<'holds> Text<32>: ::core::default::Default,
        for<'holds> Lock: ::core::default::Default,
    {
        fn default() -> Self {
            Self {
                till: <Lock as ::core::default::Default>::default(),
                cents: ::psync::__private::Guarded::new(
                    <[u64; 4] as ::core::default::Default>::default(),
                ),
                last: ::psync::__private::Guarded::new(
                    <Text<32> as ::core::default::Default>::default(),
                ),
                shelf_lock: <Lock as ::core::default::Default>::default(),
                shelf: ::psync::__private::Guarded::new(Shelf::full()),
            }
        }
    }
    impl ::psync::__private::SharedMemoryIsNeverDropped for Store {}
};
///The fields of `Store` that `till` guards, for as long as it is held.
#[must_use = "the lock is released when this is dropped"]
pub(crate) struct StoreTill<'guard> {
    /// What is in the till.
    pub cents: ::psync::__private::Held<'guard, [u64; 4]>,
    /// The field of this name of `Store`.
    pub last: ::psync::__private::Held<'guard, Text<32>>,
    __lock: ::psync::__private::LockGuard<'guard>,
}
impl<'guard> StoreTill<'guard> {
    #[inline]
    fn __over(mut hold: ::psync::__private::Hold<'guard, Store, 0>) -> Self {
        let owner = hold.owner();
        Self {
            cents: hold.field(&owner.cents),
            last: hold.field(&owner.last),
            __lock: hold.rest(),
        }
    }
}
impl<'guard> ::psync::__private::FieldsGuard for StoreTill<'guard> {
    fn lock_guard(&self) -> &::psync::__private::LockGuard<'_> {
        &self.__lock
    }
    fn is_whole(&self) -> bool {
        ::psync::__private::is_whole(
            &self.__lock,
            &[self.cents.share(), self.last.share()],
        )
    }
}
impl<'guard> ::core::fmt::Debug for StoreTill<'guard> {
    fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        formatter
            .debug_struct("StoreTill")
            .field("till", &self.__lock)
            .finish_non_exhaustive()
    }
}
impl ::psync::__private::Guards<0> for Store {
    const PLACE: usize = ::core::mem::offset_of!(Self, till);
    fn lock_of_fields(&self) -> &::psync::__private::Lock {
        ::psync::__private::lock_of(&self.till)
    }
}
impl Store {
    /// Waits for `till` and gives the fields that it guards.
    #[track_caller]
    pub(crate) fn lock_till(
        &self,
    ) -> ::core::result::Result<StoreTill<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields(self, StoreTill::__over)
    }
    /// Gives the fields that `till` guards if nobody holds it.
    #[track_caller]
    pub(crate) fn try_lock_till(
        &self,
    ) -> ::core::result::Result<StoreTill<'_>, ::psync::__private::LockError> {
        ::psync::__private::try_lock_fields(self, StoreTill::__over)
    }
    /// Waits for `till` no longer than `timeout`.
    #[track_caller]
    pub(crate) fn lock_till_timeout(
        &self,
        timeout: ::psync::__private::Duration,
    ) -> ::core::result::Result<StoreTill<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_timeout(self, timeout, StoreTill::__over)
    }
    /// As [`Self::lock_till`], but `repair` makes the fields whole first if a holder died or panicked.
    #[track_caller]
    pub(crate) fn lock_till_or_repair(
        &self,
        repair: impl ::core::ops::FnOnce(&mut StoreTill<'_>),
    ) -> ::core::result::Result<StoreTill<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_or_repair(self, StoreTill::__over, repair)
    }
}
///The fields of `Store` that `shelf_lock` guards, for as long as it is held.
#[must_use = "the lock is released when this is dropped"]
pub(crate) struct StoreShelfLock<'guard> {
    /// The field of this name of `Store`.
    pub shelf: ::psync::__private::Held<'guard, Shelf>,
    __lock: ::psync::__private::LockGuard<'guard>,
}
impl<'guard> StoreShelfLock<'guard> {
    #[inline]
    fn __over(mut hold: ::psync::__private::Hold<'guard, Store, 3>) -> Self {
        let owner = hold.owner();
        Self {
            shelf: hold.field(&owner.shelf),
            __lock: hold.rest(),
        }
    }
}
impl<'guard> ::psync::__private::FieldsGuard for StoreShelfLock<'guard> {
    fn lock_guard(&self) -> &::psync::__private::LockGuard<'_> {
        &self.__lock
    }
    fn is_whole(&self) -> bool {
        ::psync::__private::is_whole(&self.__lock, &[self.shelf.share()])
    }
}
impl<'guard> ::core::fmt::Debug for StoreShelfLock<'guard> {
    fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        formatter
            .debug_struct("StoreShelfLock")
            .field("shelf_lock", &self.__lock)
            .finish_non_exhaustive()
    }
}
impl ::psync::__private::Guards<3> for Store {
    const PLACE: usize = ::core::mem::offset_of!(Self, shelf_lock);
    fn lock_of_fields(&self) -> &::psync::__private::Lock {
        ::psync::__private::lock_of(&self.shelf_lock)
    }
}
impl Store {
    /// Waits for `shelf_lock` and gives the fields that it guards.
    #[track_caller]
    pub(crate) fn lock_shelf_lock(
        &self,
    ) -> ::core::result::Result<StoreShelfLock<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields(self, StoreShelfLock::__over)
    }
    /// Gives the fields that `shelf_lock` guards if nobody holds it.
    #[track_caller]
    pub(crate) fn try_lock_shelf_lock(
        &self,
    ) -> ::core::result::Result<StoreShelfLock<'_>, ::psync::__private::LockError> {
        ::psync::__private::try_lock_fields(self, StoreShelfLock::__over)
    }
    /// Waits for `shelf_lock` no longer than `timeout`.
    #[track_caller]
    pub(crate) fn lock_shelf_lock_timeout(
        &self,
        timeout: ::psync::__private::Duration,
    ) -> ::core::result::Result<StoreShelfLock<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_timeout(self, timeout, StoreShelfLock::__over)
    }
    /// As [`Self::lock_shelf_lock`], but `repair` makes the fields whole first if a holder died or panicked.
    #[track_caller]
    pub(crate) fn lock_shelf_lock_or_repair(
        &self,
        repair: impl ::core::ops::FnOnce(&mut StoreShelfLock<'_>),
    ) -> ::core::result::Result<StoreShelfLock<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_or_repair(self, StoreShelfLock::__over, repair)
    }
}
