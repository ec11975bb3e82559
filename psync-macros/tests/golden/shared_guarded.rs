/// A farm.
#[repr(C)]
pub struct Farm {
    pub bell: Event,
    swings: Semaphore,
    pen: Lock,
    /// Counted every evening.
    #[doc(hidden)]
    acorns: ::psync::__private::Guarded<u32, Self, 2>,
    #[doc(hidden)]
    walnuts: ::psync::__private::Guarded<u32, Self, 2>,
}
const _: () = {
    unsafe impl ::psync::__private::ShmSafe for Farm {
        const FINGERPRINT: u64 = ::psync::__private::fingerprint(
            "Farm",
            &[
                (
                    "bell",
                    ::psync::__private::fingerprint_of::<Event>(),
                    ::core::mem::offset_of!(Self, bell),
                ),
                (
                    "swings",
                    ::psync::__private::fingerprint_of::<Semaphore>(),
                    ::core::mem::offset_of!(Self, swings),
                ),
                (
                    "pen",
                    ::psync::__private::fingerprint_of::<Lock>(),
                    ::core::mem::offset_of!(Self, pen),
                ),
                (
                    "acorns",
                    ::psync::__private::fingerprint_of::<u32>(),
                    ::core::mem::offset_of!(Self, acorns),
                ),
                (
                    "walnuts",
                    ::psync::__private::fingerprint_of::<u32>(),
                    ::core::mem::offset_of!(Self, walnuts),
                ),
            ],
            ::core::mem::size_of::<Self>(),
            ::core::mem::align_of::<Self>(),
        );
    }
    unsafe impl ::psync::__private::Zeroable for Farm
    where
        for<'holds> Event: ::psync::__private::Zeroable,
        for<'holds> Semaphore: ::psync::__private::Zeroable,
        for<'holds> Lock: ::psync::__private::Zeroable,
        for<'holds> u32: ::psync::__private::Zeroable,
        for<'holds> u32: ::psync::__private::Zeroable,
    {}
    #[automatically_derived]
    impl ::core::default::Default for Farm
    where
        for<'holds> Event: ::core::default::Default,
        for<'holds> Lock: ::core::default::Default,
        for<'holds> u32: ::core::default::Default,
    {
        fn default() -> Self {
            Self {
                bell: <Event as ::core::default::Default>::default(),
                swings: Semaphore::new(2),
                pen: <Lock as ::core::default::Default>::default(),
                acorns: ::psync::__private::Guarded::new(
                    <u32 as ::core::default::Default>::default(),
                ),
                walnuts: ::psync::__private::Guarded::new(7),
            }
        }
    }
    impl ::psync::__private::SharedMemoryIsNeverDropped for Farm {}
};
///The fields of `Farm` that `pen` guards, for as long as it is held.
#[must_use = "the lock is released when this is dropped"]
pub struct FarmPen<'guard> {
    /// Counted every evening.
    pub acorns: ::psync::__private::Held<'guard, u32>,
    /// The field of this name of `Farm`.
    pub walnuts: ::psync::__private::Held<'guard, u32>,
    __lock: ::psync::__private::LockGuard<'guard>,
}
impl<'guard> FarmPen<'guard> {
    #[inline]
    fn __over(mut hold: ::psync::__private::Hold<'guard, Farm, 2>) -> Self {
        let owner = hold.owner();
        Self {
            acorns: hold.field(&owner.acorns),
            walnuts: hold.field(&owner.walnuts),
            __lock: hold.rest(),
        }
    }
}
impl<'guard> ::psync::__private::FieldsGuard for FarmPen<'guard> {
    fn lock_guard(&self) -> &::psync::__private::LockGuard<'_> {
        &self.__lock
    }
    fn is_whole(&self) -> bool {
        ::psync::__private::is_whole(
            &self.__lock,
            &[self.acorns.share(), self.walnuts.share()],
        )
    }
}
impl<'guard> ::core::fmt::Debug for FarmPen<'guard> {
    fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        formatter
            .debug_struct("FarmPen")
            .field("pen", &self.__lock)
            .finish_non_exhaustive()
    }
}
impl ::psync::__private::Guards<2> for Farm {
    const PLACE: usize = ::core::mem::offset_of!(Self, pen);
    fn lock_of_fields(&self) -> &::psync::__private::Lock {
        ::psync::__private::lock_of(&self.pen)
    }
}
impl Farm {
    /// Waits for `pen` and gives the fields that it guards.
    #[track_caller]
    pub fn lock_pen(
        &self,
    ) -> ::core::result::Result<FarmPen<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields(self, FarmPen::__over)
    }
    /// Gives the fields that `pen` guards if nobody holds it.
    #[track_caller]
    pub fn try_lock_pen(
        &self,
    ) -> ::core::result::Result<FarmPen<'_>, ::psync::__private::LockError> {
        ::psync::__private::try_lock_fields(self, FarmPen::__over)
    }
    /// Waits for `pen` no longer than `timeout`.
    #[track_caller]
    pub fn lock_pen_timeout(
        &self,
        timeout: ::psync::__private::Duration,
    ) -> ::core::result::Result<FarmPen<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_timeout(self, timeout, FarmPen::__over)
    }
    /// As [`Self::lock_pen`], but `repair` makes the fields whole first if a holder died or panicked.
    #[track_caller]
    pub fn lock_pen_or_repair(
        &self,
        repair: impl ::core::ops::FnOnce(&mut FarmPen<'_>),
    ) -> ::core::result::Result<FarmPen<'_>, ::psync::__private::LockError> {
        ::psync::__private::lock_fields_or_repair(self, FarmPen::__over, repair)
    }
}
